"""Organizations: who owns everything."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, ClassVar, Self
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import models

from core.db.rows import BaseModel, BaseQuerySet

LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@cache
def time_zones() -> frozenset[str]:
    """The names of the IANA database."""
    return frozenset(available_timezones())


def check_time_zone(name: str) -> None:
    """Raise ValidationError for a name that the IANA database does not have."""
    if name not in time_zones():
        raise ValidationError(
            "This is not a time zone of the IANA database, such as Europe/Berlin."
        )


def check_language(tag: str) -> None:
    """Raise ValidationError for what does not look like a language tag (BCP 47)."""
    if not LANGUAGE.fullmatch(tag):
        raise ValidationError("This is not a language tag, such as en or pt-BR.")


class OrganizationQuerySet(BaseQuerySet):
    def visible_to(self, actor: Any) -> Self:
        """The one organization the actor acts for."""
        return self.filter(id=actor.organization.pk)

    def joined_by(self, user: Any) -> Self:
        """Every organization the person belongs to."""
        return self.filter(memberships__user=user)


class Organization(BaseModel):
    """Who owns meetings, files and jobs, and whose people may see them."""

    name = models.CharField(max_length=200)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[check_time_zone])
    language = models.CharField(max_length=35, default="en", validators=[check_language])

    objects: ClassVar[Any] = OrganizationQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name
