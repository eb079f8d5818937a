"""Which endpoints there are, and how sending to one has fared."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from core.accounts.models import Membership, Role
from webhooks.models import Endpoint

HOLD = """
SELECT id FROM webhooks_endpoint WHERE id = ANY(%s) AND deleted_at IS NULL ORDER BY id FOR KEY SHARE
"""


def enabled_of(organization_ids: Collection[UUID]) -> QuerySet[Endpoint]:
    """The endpoints of these organizations that events are sent to."""
    return Endpoint.objects.filter(organization_id__in=organization_ids, disabled_at=None)


def hold(endpoint_ids: list[UUID]) -> list[UUID]:
    """Those that are still there, and stay so until this transaction ends.

    Only who removes a deleted one waits. A constraint is checked at commit, too late for a fan-out
    to do without an endpoint that has gone.
    """
    with connection.cursor() as cursor:
        cursor.execute(HOLD, [endpoint_ids])
        return [endpoint_id for (endpoint_id,) in cursor.fetchall()]


def whole(endpoints: QuerySet[Endpoint]) -> QuerySet[Endpoint]:
    """Endpoints with their secrets, of which the public part is shown."""
    return endpoints.prefetch_related("secrets")


def in_charge(organization_id: UUID) -> list[UUID]:
    """The people who may do something about an endpoint: owners and admins."""
    members = Membership.objects.filter(
        organization_id=organization_id, role__in=(Role.OWNER, Role.ADMIN)
    )
    return list(members.values_list("user_id", flat=True))
