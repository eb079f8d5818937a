"""The chapters of a discussion."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from meetings.models.item import Item, ItemQuerySet


class Topic(Item):
    """A chapter: the segments from the first to the last, both included, under one title."""

    title = models.TextField()
    first_segment = models.ForeignKey(
        "meetings.Segment", null=True, on_delete=models.CASCADE, related_name="+"
    )
    last_segment = models.ForeignKey(
        "meetings.Segment", null=True, on_delete=models.CASCADE, related_name="+"
    )

    objects: ClassVar[Any] = ItemQuerySet.as_manager()

    def __str__(self) -> str:
        return self.title
