"""Deletes old deliveries, and deleted endpoints with theirs, in batches."""

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
MAX_SECONDS = 30.0


def prune(*, seconds: float = MAX_SECONDS) -> int:
    """Delete old deliveries in batches for about `seconds`; returns how many.

    Old are those that ended, or whose endpoint was disabled, WEBHOOK_HISTORY_DAYS ago. Deleted
    endpoints go first, with all their deliveries.
    """
    horizon = database_now() - timedelta(days=settings.WEBHOOK_HISTORY_DAYS)
    end = time.monotonic() + seconds
    ended = Delivery.objects.filter(ended_at__lt=horizon).order_by("ended_at")
    abandoned = Delivery.objects.queued().filter(endpoint__disabled_at__lt=horizon)
    deleted = 0
    while time.monotonic() < end:
        batch = _delete_of_endpoints() or _delete_batch(ended) or _delete_batch(abandoned)
        if not batch:
            break
        deleted += batch
    return deleted


def _delete_of_endpoints() -> int:
    """Delete a batch of a deleted endpoint's deliveries, and with the last of them the endpoint."""
    for endpoint in Endpoint.objects.deleted().order_by("deleted_at"):
        with transaction.atomic():
            # A fan-out that began before the deletion holds a key lock: wait for its deliveries.
            locked = Endpoint.objects.select_for_update().filter(id=endpoint.id).first()
            if locked is None:
                continue
            deliveries = Delivery.objects.filter(
                organization=locked.organization_id, endpoint=locked
            )
            batch = _delete_batch(deliveries)
            if batch < BATCH and not deliveries.exists():
                locked.delete()
        if batch:
            return batch
    return 0


def _delete_batch(deliveries: QuerySet[Delivery]) -> int:
    """Delete some in one transaction; locked rows, as of a replay, are left for the next time."""
    with transaction.atomic():
        rows = deliveries.select_for_update(skip_locked=True, of=("self",))
        ids = list(rows.values_list("id", flat=True)[:BATCH])
        DeliveryAttempt.objects.filter(delivery_id__in=ids).delete()
        Delivery.objects.filter(id__in=ids).delete()
    return len(ids)
