"""What was perhaps decided."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from meetings.models.item import ChangeableItem, ItemQuerySet


class Decision(ChangeableItem):
    """Something that was perhaps decided; certain once a person has confirmed it."""

    objects: ClassVar[Any] = ItemQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=("organization", "-created_at", "-id"), name="decision_newest"),
            models.Index(
                fields=("organization", "status", "-created_at", "-id"), name="decision_status"
            ),
        )

    def __str__(self) -> str:
        return f"decision {self.id}"
