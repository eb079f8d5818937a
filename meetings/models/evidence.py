"""The words that an item rests on."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from core.accounts.visibility import TeamLimitedQuerySet
from core.db.rows import OrganizationModel

ITEMS = ("summary", "topic", "decision", "action_item")


class EvidenceQuerySet(TeamLimitedQuerySet):
    team_path = "meeting__team"


def _exactly_one() -> Q:
    """One of the items is named and no other."""
    choices = Q()
    for named in ITEMS:
        choices |= Q(**{f"{item}__isnull": item != named for item in ITEMS})
    return choices


class Evidence(OrganizationModel):
    """A quote that an item rests on, and the segment it was taken from.

    `verified` says that the quote stands in that segment letter by letter. An engine that names a
    segment the transcript does not have leaves `segment` null, and nothing verified.
    """

    meeting = models.ForeignKey("meetings.Meeting", on_delete=models.CASCADE, related_name="+")
    summary = models.ForeignKey(
        "meetings.Summary", null=True, on_delete=models.CASCADE, related_name="evidence"
    )
    topic = models.ForeignKey(
        "meetings.Topic", null=True, on_delete=models.CASCADE, related_name="evidence"
    )
    decision = models.ForeignKey(
        "meetings.Decision", null=True, on_delete=models.CASCADE, related_name="evidence"
    )
    action_item = models.ForeignKey(
        "meetings.ActionItem", null=True, on_delete=models.CASCADE, related_name="evidence"
    )
    segment = models.ForeignKey(
        "meetings.Segment", null=True, on_delete=models.CASCADE, related_name="+"
    )
    position = models.PositiveIntegerField(default=0)
    quote = models.TextField()
    verified = models.BooleanField()

    objects: ClassVar[Any] = EvidenceQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "evidence"
        constraints = (
            models.CheckConstraint(condition=_exactly_one(), name="evidence_of_one_item"),
        )

    def __str__(self) -> str:
        return f"evidence {self.id}"
