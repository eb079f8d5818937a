"""How long deliveries are kept once they have ended."""

from __future__ import annotations

import time
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from core.db.clock import now
from webhooks.models import Delivery, DeliveryAttempt

BATCH = 500
USUAL_SECONDS = 30.0


def prune(*, seconds: float = USUAL_SECONDS) -> int:
    """Delete deliveries that ended too long ago, a batch at a time; how many went.

    What waits for an endpoint that has been disabled as long goes too. Stops after about `seconds`,
    for the next round to go on.
    """
    end = time.monotonic() + seconds
    gone = 0
    while time.monotonic() < end and (batch := _prune_some()):
        gone += batch
    return gone


def _prune_some() -> int:
    horizon = now() - timedelta(days=settings.WEBHOOK_HISTORY_DAYS)
    ended = Delivery.objects.filter(ended_at__lt=horizon).order_by("ended_at")
    forsaken = Delivery.objects.queued().filter(endpoint__disabled_at__lt=horizon)
    return _delete_some(ended) or _delete_some(forsaken)


def _delete_some(deliveries: QuerySet[Delivery]) -> int:
    """One transaction; a row that somebody holds, as to replay it, is left for another time."""
    with transaction.atomic():
        chosen = deliveries.select_for_update(skip_locked=True, of=("self",))
        ids = list(chosen.values_list("id", flat=True)[:BATCH])
        DeliveryAttempt.objects.filter(delivery_id__in=ids).delete()
        Delivery.objects.filter(id__in=ids).delete()
    return len(ids)
