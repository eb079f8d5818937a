"""How long deliveries are kept once they have ended, and how those of deleted endpoints go."""

from __future__ import annotations

import time
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from core.db.clock import database_now
from webhooks.models import Delivery, DeliveryAttempt, Endpoint

KIND = "webhooks.prune_deliveries"
BATCH = 500
USUAL_SECONDS = 30.0


def prune(*, seconds: float = USUAL_SECONDS) -> int:
    """Delete deliveries that ended too long ago, a batch at a time; how many went.

    What waits for an endpoint that has been disabled as long goes too, and so do deleted endpoints
    with all they were owed. Stops after about `seconds`,
    for the next round to go on.
    """
    end = time.monotonic() + seconds
    gone = 0
    while time.monotonic() < end and (batch := _prune_some()):
        gone += batch
    return gone


def _prune_some() -> int:
    horizon = database_now() - timedelta(days=settings.WEBHOOK_HISTORY_DAYS)
    ended = Delivery.objects.filter(ended_at__lt=horizon).order_by("ended_at")
    forsaken = Delivery.objects.queued().filter(endpoint__disabled_at__lt=horizon)
    return _empty_deleted() or _delete_some(ended) or _delete_some(forsaken)


def _empty_deleted() -> int:
    for endpoint in Endpoint.objects.deleted().order_by("deleted_at"):
        if gone := _empty(endpoint):
            return gone
    return 0


def _empty(endpoint: Endpoint) -> int:
    """Remove some of what it was owed, and the endpoint itself with the last of it.

    Under its lock a fan-out that had begun before is over, and none begins any more.
    """
    with transaction.atomic():
        held = Endpoint.objects.select_for_update().filter(id=endpoint.id).first()
        if held is None:
            return 0
        owed = Delivery.objects.filter(organization=held.organization_id, endpoint=held)
        gone = _delete_some(owed)
        if gone < BATCH and not owed.exists():
            held.delete()
    return gone


def _delete_some(deliveries: QuerySet[Delivery]) -> int:
    """One transaction; a row that somebody holds, as to replay it, is left for another time."""
    with transaction.atomic():
        chosen = deliveries.select_for_update(skip_locked=True, of=("self",))
        ids = list(chosen.values_list("id", flat=True)[:BATCH])
        DeliveryAttempt.objects.filter(delivery_id__in=ids).delete()
        Delivery.objects.filter(id__in=ids).delete()
    return len(ids)
