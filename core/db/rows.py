"""The abstract rows that every model starts from."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, Protocol, Self

from django.db import models
from uuid_utils import compat


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562): ordered by creation time, so indexes grow at one end."""
    return compat.uuid7()


class Asker(Protocol):
    """The part of an Actor that decides which rows are visible."""

    @property
    def organization(self) -> Any: ...


class Row(models.Model):
    """A row with a time-ordered id and the times of its creation and last change."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class OwnedQuerySet(models.QuerySet[Any]):
    """Rows of an organization, seen only through `visible_to`."""

    def visible_to(self, actor: Asker) -> Self:
        """The rows the actor may see: those of the actor's organization."""
        return self.filter(organization=actor.organization)


class OwnedRow(Row):
    """A row that belongs to one organization."""

    organization = models.ForeignKey(
        "core.Organization", on_delete=models.CASCADE, related_name="+"
    )

    objects: ClassVar[Any] = OwnedQuerySet.as_manager()

    class Meta:
        abstract = True
