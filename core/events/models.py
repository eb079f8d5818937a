"""The outbox: one row per fact, written in the transaction that made it true."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from core.db.rows import OrganizationModel


class Event(OrganizationModel):
    """A fact about an organization, in the past tense.

    `data` is exactly what the type declares. `finished` names the subscribers that have run;
    `fanned_out_at` is set when none is left. `next_try_at` delays the next fan-out after a failure.
    """

    type = models.CharField(max_length=80)
    version = models.PositiveSmallIntegerField(default=1)
    actor = models.ForeignKey(
        "core.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    request_id = models.CharField(max_length=64, blank=True)
    occurred_at = models.DateTimeField(db_default=Now(), editable=False)
    data = models.JSONField()

    finished = models.JSONField(default=list)
    tries = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)
    fanned_out_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (
            models.Index(
                fields=("occurred_at",),
                name="event_waiting",
                condition=models.Q(fanned_out_at=None),
            ),
            models.Index(fields=("organization", "-occurred_at"), name="event_of_organization"),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.id}"
