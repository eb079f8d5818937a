"""Reads of endpoints."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from core.accounts.models import Membership, Role
from webhooks.models import Endpoint

LOCK_PRESENT = """
SELECT id FROM webhooks_endpoint WHERE id = ANY(%s) AND deleted_at IS NULL ORDER BY id FOR KEY SHARE
"""


def enabled_of(organization_ids: Collection[UUID]) -> QuerySet[Endpoint]:
    """The enabled endpoints of these organizations."""
    return Endpoint.objects.filter(organization_id__in=organization_ids, disabled_at=None)


def lock_present(endpoint_ids: list[UUID]) -> list[UUID]:
    """Those endpoints that are not deleted, kept from being removed until this transaction ends.

    The lock is weak: only the removal of a deleted endpoint waits for it.
    """
    with connection.cursor() as cursor:
        cursor.execute(LOCK_PRESENT, [endpoint_ids])
        return [endpoint_id for (endpoint_id,) in cursor.fetchall()]


def with_secrets(endpoints: QuerySet[Endpoint]) -> QuerySet[Endpoint]:
    """Endpoints with their secrets, for the scheme and the public key."""
    return endpoints.prefetch_related("secrets")


def admin_user_ids(organization_id: UUID) -> list[UUID]:
    """The users who may change endpoints: owners and admins."""
    members = Membership.objects.filter(
        organization_id=organization_id, role__in=(Role.OWNER, Role.ADMIN)
    )
    return list(members.values_list("user_id", flat=True))
