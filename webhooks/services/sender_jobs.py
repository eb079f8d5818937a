"""Asking for somebody who sends what is due."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from core.db.transactions import require_transaction
from core.jobs import services as jobs
from core.jobs.models import Job
from webhooks.services import claiming

KIND = "webhooks.send_deliveries"
LATE_SECONDS = 1.5  # what waits longer is more than those at work can take, or none is at work


def ask_for_sender(*, slot: int = 0) -> None:
    """Let a sender be at work once the open transaction commits; costs one look while it is.

    At most one holds each slot.
    """
    require_transaction("ask_for_sender")
    key = f"sender-{slot}"
    active = Job.objects.active().filter(organization=None, kind=KIND, dedup_key=key)
    if not active.exists():
        jobs.enqueue(kind=KIND, origin=jobs.HOUSEKEEPING, arguments={"slot": slot}, dedup_key=key)


def ask_for_senders() -> int:
    """Ask for as many senders as what is due needs; how many. The relay's sweep.

    It is what finds attempts that have become due, and what a sender just missed as it ended.
    """
    waiting = claiming.seconds_waiting()
    if waiting is None:
        return 0
    wanted = settings.WEBHOOK_SENDERS if waiting > LATE_SECONDS else 1
    with transaction.atomic():
        for slot in range(wanted):
            ask_for_sender(slot=slot)
    return wanted
