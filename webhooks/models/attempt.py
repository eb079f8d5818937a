"""One HTTP attempt."""

from __future__ import annotations

from django.db import models

from core.db.rows import OrganizationModel


class DeliveryAttempt(OrganizationModel):
    """One attempt and its result. Append-only.

    `error_kind` is empty for a success, else listed in webhooks/README.md. `address` is the address
    of the connection, if any; `excerpt` the beginning of the answer with likely secrets hidden.
    """

    delivery = models.ForeignKey(
        "webhooks.Delivery", on_delete=models.CASCADE, related_name="attempts", db_index=False
    )
    number = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    error_kind = models.CharField(max_length=40, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    excerpt = models.TextField(blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("delivery", "number"), name="attempt_counted_once"),
        )

    def __str__(self) -> str:
        return f"{self.number}: {self.status_code or self.error_kind}"
