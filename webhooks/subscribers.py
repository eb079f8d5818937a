"""Reactions of webhooks to events."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from core.events.models import Event
from core.events.registry import subscribe, subscribe_to_public_together
from core.notifications import services as notifications
from core.notifications.kinds import register_notification
from webhooks.models import Endpoint
from webhooks.queries import endpoints as queries
from webhooks.services import deliveries

DISABLED = register_notification(
    "endpoint.disabled", description="A webhook endpoint was disabled."
)


@subscribe_to_public_together
def create_deliveries_for_events(events: Sequence[Event]) -> None:
    """Create a delivery per matching endpoint."""
    deliveries.create_deliveries(events=events)


@subscribe("endpoint.disabled")
def notify_admins(event: Event) -> None:
    """Notify owners and admins that an endpoint was disabled."""
    endpoint = Endpoint.objects.present().filter(id=event.data["endpoint_id"]).first()
    if endpoint is None or endpoint.is_enabled:
        return
    for user_id in queries.admin_user_ids(endpoint.organization_id):
        notifications.notify(
            kind=DISABLED,
            organization_id=endpoint.organization_id,
            user_id=user_id,
            dedup_key=str(event.id),
            subject_id=endpoint.id,
            values={"endpoint": endpoint, "days": settings.WEBHOOK_HISTORY_DAYS},
        )
