"""What webhooks do when something has happened."""

from __future__ import annotations

from core.events.models import Event
from core.events.registry import subscribe_to_public
from webhooks.services import deliveries


@subscribe_to_public
def owe_deliveries(event: Event) -> None:
    """Whoever listens is owed the event."""
    deliveries.owe(event=event)
