"""What webhooks do when something has happened."""

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
    "endpoint.disabled", description="Nothing is sent to a webhook endpoint any more."
)


@subscribe_to_public_together
def owe_deliveries(events: Sequence[Event]) -> None:
    """Whoever listens is owed the events."""
    deliveries.owe_all(happened=events)


@subscribe("endpoint.disabled")
def tell_those_in_charge(event: Event) -> None:
    """Owners and admins hear of an endpoint that we disabled."""
    endpoint = Endpoint.objects.present().filter(id=event.data["endpoint_id"]).first()
    if endpoint is None or endpoint.is_enabled:
        return
    for user_id in queries.in_charge(endpoint.organization_id):
        notifications.notify(
            kind=DISABLED,
            organization_id=endpoint.organization_id,
            user_id=user_id,
            dedup_key=str(event.id),
            subject_id=endpoint.id,
            values={"endpoint": endpoint, "days": settings.WEBHOOK_HISTORY_DAYS},
        )
