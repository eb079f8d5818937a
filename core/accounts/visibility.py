"""Rows that may be limited to a team."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.db.models import Q

from core.accounts.models import Team
from core.db.rows import OrganizationModelQuerySet


class TeamLimitedQuerySet(OrganizationModelQuerySet):
    """Rows with an `organization` and, at `team_path`, a team that may be null."""

    team_path: ClassVar[str] = "team"

    def visible_to(self, actor: Any) -> Self:
        """Rows without a team and those of the actor's teams; owners and admins see all."""
        rows = super().visible_to(actor)
        if actor.is_admin:
            return rows
        mine = {f"{self.team_path}__in": Team.objects.joined_by(actor)}
        return rows.filter(Q(**{self.team_path: None}) | Q(**mine))
