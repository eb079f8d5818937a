"""What every item of an analysis has in common."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from core.accounts.visibility import TeamLimitedQuerySet
from core.db.rows import OrganizationModel


class ItemStatus(models.TextChoices):
    """`draft`: found by an engine and seen by nobody; a new analysis replaces only these."""

    DRAFT = "draft"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    EDITED = "edited"


# What a person may make of an item; other words make it `edited` by themselves.
CHOSEN = [
    (status.value, status.label)
    for status in (ItemStatus.CONFIRMED, ItemStatus.DISMISSED, ItemStatus.DRAFT)
]


class ItemQuerySet(TeamLimitedQuerySet):
    team_path = "meeting__team"


class Item(OrganizationModel):
    """Something an analysis found; `position` is its place among those of its kind."""

    meeting = models.ForeignKey("meetings.Meeting", on_delete=models.CASCADE, related_name="+")
    analysis = models.ForeignKey("meetings.Analysis", on_delete=models.CASCADE, related_name="+")
    position = models.PositiveIntegerField(default=0)

    objects: ClassVar[Any] = ItemQuerySet.as_manager()

    class Meta:
        abstract = True


class ChangeableItem(Item):
    """An item that people confirm, dismiss or put in other words.

    `found_text` stays as the engine found it, so that the same find is known again after an edit.
    `confidence` is 0 to 1.
    """

    text = models.TextField()
    found_text = models.TextField()
    confidence = models.FloatField()
    status = models.CharField(max_length=10, choices=ItemStatus, default=ItemStatus.DRAFT)

    class Meta:
        abstract = True
