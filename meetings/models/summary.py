"""What a discussion comes to, in sentences."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from meetings.models.item import Item, ItemQuerySet


class Summary(Item):
    """A summary made of the discussion's own sentences."""

    text = models.TextField()

    objects: ClassVar[Any] = ItemQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "summaries"

    def __str__(self) -> str:
        return f"summary of {self.meeting_id}"
