"""Requests the jobs that send due deliveries."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from core.db.transactions import require_transaction
from core.jobs import services as jobs
from core.jobs.models import Job
from webhooks.services import claiming

KIND = "webhooks.send_deliveries"
LATE_SECONDS = 1.5  # a longer wait means that the running senders are too few


def request_sender(*, slot: int = 0) -> None:
    """Enqueue a sender for this slot, unless one is active already."""
    require_transaction("request_sender")
    key = f"sender-{slot}"
    active = Job.objects.active().filter(organization=None, kind=KIND, dedup_key=key)
    if not active.exists():
        jobs.enqueue(kind=KIND, origin=jobs.HOUSEKEEPING, arguments={"slot": slot}, dedup_key=key)


def request_senders() -> int:
    """Enqueue the senders that due deliveries need and return their number. The relay's sweep."""
    # Finds attempts that have become due, and those that a sender missed as it ended.
    waiting = claiming.seconds_waiting()
    if waiting is None:
        return 0
    wanted = settings.WEBHOOK_SENDERS if waiting > LATE_SECONDS else 1
    with transaction.atomic():
        for slot in range(wanted):
            request_sender(slot=slot)
    return wanted
