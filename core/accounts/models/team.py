"""Teams."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models.functions import Lower

from core.db.rows import OrganizationModel, OrganizationModelQuerySet


class TeamQuerySet(OrganizationModelQuerySet):
    def joined_by(self, actor: Any) -> Self:
        """The teams of the actor's organization in which the actor is a member."""
        return self.filter(members__user=actor.user, organization=actor.organization)


class Team(OrganizationModel):
    """Some members of an organization, to whom a meeting can be limited."""

    name = models.CharField(max_length=200)

    objects: ClassVar[Any] = TeamQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                "organization",
                Lower("name"),
                name="team_name_in_organization",
                violation_error_message="There is a team of this name already.",
            ),
        )
        indexes = (models.Index(fields=("organization", "-created_at", "-id"), name="team_page"),)

    def __str__(self) -> str:
        return self.name
