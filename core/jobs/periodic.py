"""Periodic work: jobs that are due once in every period, requested by the relay.

Any number of relays may tick. The first tick within a period of a kind, on the database's clock,
moves its `PeriodicRun` and requests the job; later ones find the period claimed. Missed periods are
not made up for one by one.
"""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import connection, transaction

from core.jobs.models import Job
from core.jobs.policies import Policy, policies
from core.jobs.services import HOUSEKEEPING, enqueue

log = structlog.get_logger(__name__)

TICK = "core.tick"  # the name of the Celery task
PERIODIC = "periodic"  # the dedup key: a slow job is not joined by its successor

CLAIM_PERIOD = """
INSERT INTO core_periodicrun AS turn (kind, period_at)
VALUES (%(kind)s,
        to_timestamp(floor(EXTRACT(epoch FROM clock_timestamp()) / %(every)s) * %(every)s))
ON CONFLICT (kind) DO UPDATE SET period_at = EXCLUDED.period_at
 WHERE turn.period_at < EXCLUDED.period_at
RETURNING period_at
"""


def tick() -> list[Job]:
    """Request the jobs whose period has begun and that no other tick has requested."""
    due = [_request(policy) for policy in policies() if policy.every_seconds]
    return [job for job in due if job is not None]


def _request(policy: Policy) -> Job | None:
    with transaction.atomic():
        period_at = claim_period(policy)
        if period_at is None:
            return None
        log.info("periodic.requested", kind=policy.kind, period=period_at.isoformat())
        return enqueue(
            kind=policy.kind,
            origin=HOUSEKEEPING,
            arguments={"period": period_at.isoformat()},
            dedup_key=PERIODIC,
        )


def claim_period(policy: Policy) -> datetime | None:
    """The period that begins with this tick; None when its job was requested already."""
    with connection.cursor() as cursor:
        cursor.execute(CLAIM_PERIOD, {"kind": policy.kind, "every": policy.every_seconds})
        row = cursor.fetchone()
    return row[0] if row else None
