"""Which endpoints there are, and how sending to one has fared."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from webhooks.models import Endpoint


def enabled_of(organization_id: UUID) -> QuerySet[Endpoint]:
    """The endpoints of an organization that events are sent to."""
    return Endpoint.objects.filter(organization_id=organization_id, disabled_at=None)
