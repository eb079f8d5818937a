"""The one who asks."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from core import errors
from core.accounts.models import Membership, Organization, Role, User
from core.accounts.scopes import EVERYTHING, least_role


class ScopeMissing(errors.NotAllowed):
    """The API key was not given the scope."""

    code = "scope.missing"
    message = "This API key was not given the scope for that."


class RoleTooLow(errors.NotAllowed):
    """The member's role does not suffice."""

    code = "role.too_low"
    message = "Your role in this organization does not allow that."


@dataclass(frozen=True, slots=True)
class Actor:
    """A person acting for one organization, directly or through an API key.

    The rows are shared between requests for up to half a minute: read them, never change them.
    """

    user: User
    organization: Organization
    role: Role
    scopes: frozenset[str] = frozenset({EVERYTHING})
    api_key_id: uuid.UUID | None = None

    @property
    def is_admin(self) -> bool:
        """Owners and admins: they see every team's rows."""
        return self.has_rank_of(Role.ADMIN)

    def has_rank_of(self, role: Role | str) -> bool:
        return self.role.rank >= Role(role).rank

    def has_scope(self, scope: str) -> bool:
        return EVERYTHING in self.scopes or scope in self.scopes

    def may(self, scope: str) -> bool:
        """Whether both the key's scopes and the person's role allow it."""
        return self.has_scope(scope) and self.has_rank_of(least_role(scope))

    def check(self, scope: str) -> None:
        """Raise ScopeMissing or RoleTooLow unless `may(scope)`."""
        if not self.has_scope(scope):
            raise ScopeMissing(f"This API key was not given the scope {scope}.")
        least = least_role(scope)
        if not self.has_rank_of(least):
            raise RoleTooLow(f"That takes the role {least}. Yours is {self.role}.")


def actor_of(*, user_id: uuid.UUID, organization_id: uuid.UUID) -> Actor | None:
    """The actor that a person is in an organization now; None for one who is no active member."""
    rows = Membership.objects.filter(user_id=user_id, organization_id=organization_id)
    member = rows.filter(user__is_active=True).select_related("user", "organization").first()
    return Actor(member.user, member.organization, Role(member.role)) if member else None
