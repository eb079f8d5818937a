"""The abstract rows that every model starts from."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from typing import Any, ClassVar, Protocol, Self

from django.db import connections, models
from django.db.models import sql
from django.db.models.functions import Now
from uuid_utils import compat


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562): ordered by creation time, so indexes grow at one end."""
    return compat.uuid7()


class Asker(Protocol):
    """The part of an Actor that decides which rows are visible."""

    @property
    def organization(self) -> Any: ...


class BaseQuerySet(models.QuerySet[Any]):
    """Rows whose `updated_at` follows every update."""

    def update(self, **changes: Any) -> int:
        """Update the rows; `updated_at` becomes the database's time."""
        if issubclass(self.model, BaseModel):  # segments have no times of their own
            changes.setdefault("updated_at", Now())
        return super().update(**changes)


class BaseModel(models.Model):
    """A row with a time-ordered id and the times of its creation and last change.

    Both times are the database's: the clocks of processes differ.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[Any] = BaseQuerySet.as_manager()

    class Meta:
        abstract = True

    def _do_update(  # type: ignore[override]  # the stubs describe 6.0
        self,
        base_qs: models.QuerySet[Any],
        using: str,
        pk_val: Any,
        values: Sequence[tuple[models.Field, None, Any]],
        update_fields: Collection[str] | None,
        forced_update: bool,
    ) -> bool:
        """Set `updated_at` in the UPDATE of `save()` and read it back from the same statement.

        Django gives an expression's value back after an INSERT; after an UPDATE from 6.0 on.
        """
        updated_at = self._meta.get_field("updated_at")
        others = [value for value in values if value[0] is not updated_at]
        query: Any = base_qs.filter(pk=pk_val).query.chain(sql.UpdateQuery)
        query.add_update_fields([*others, (updated_at, None, Now())])
        statement, parameters = query.get_compiler(using).as_sql()
        with connections[using].cursor() as cursor:
            cursor.execute(f"{statement} RETURNING updated_at", parameters)
            found = cursor.fetchone()
        if found is not None:
            self.updated_at = found[0]
        return found is not None


class OrganizationModelQuerySet(BaseQuerySet):
    """Rows of an organization, seen only through `visible_to`."""

    def visible_to(self, actor: Asker) -> Self:
        """The rows the actor may see: those of the actor's organization."""
        return self.filter(organization=actor.organization)


class OrganizationModel(BaseModel):
    """A row that belongs to one organization."""

    organization = models.ForeignKey(
        "core.Organization", on_delete=models.CASCADE, related_name="+"
    )

    objects: ClassVar[Any] = OrganizationModelQuerySet.as_manager()

    class Meta:
        abstract = True
