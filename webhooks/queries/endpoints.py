"""Which endpoints there are, and how sending to one has fared."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from core.accounts.models import Membership, Role
from webhooks.models import Endpoint


def enabled_of(organization_id: UUID) -> QuerySet[Endpoint]:
    """The endpoints of an organization that events are sent to."""
    return Endpoint.objects.filter(organization_id=organization_id, disabled_at=None)


def whole(endpoints: QuerySet[Endpoint]) -> QuerySet[Endpoint]:
    """Endpoints with their secrets, of which the public part is shown."""
    return endpoints.prefetch_related("secrets")


def in_charge(organization_id: UUID) -> list[UUID]:
    """The people who may do something about an endpoint: owners and admins."""
    members = Membership.objects.filter(
        organization_id=organization_id, role__in=(Role.OWNER, Role.ADMIN)
    )
    return list(members.values_list("user_id", flat=True))
