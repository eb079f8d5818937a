"""What somebody perhaps has to do."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from meetings.models.item import ChangeableItem, ItemQuerySet


class ActionItem(ChangeableItem):
    """Something to do: by whom, as said and as a person if known, and by when.

    `due_phrase` stays as it was said; `due_on` is the day it means where the meeting was held.
    """

    owner = models.ForeignKey(
        "core.User",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    owner_name = models.CharField(max_length=200, blank=True)
    due_on = models.DateField(null=True, blank=True)
    due_phrase = models.CharField(max_length=200, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = ItemQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=("organization", "-created_at", "-id"), name="action_item_newest"),
            models.Index(
                fields=("organization", "status", "-created_at", "-id"), name="action_item_status"
            ),
            models.Index(fields=("organization", "due_on"), name="action_item_due"),
            models.Index(fields=("owner", "-created_at", "-id"), name="action_item_owner"),
        )

    def __str__(self) -> str:
        return f"action item {self.id}"
