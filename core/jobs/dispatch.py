"""Which queued jobs get a message now: a window per queue, shared fairly between organizations.

Claims come by id, so the order of work is made by what is sent. At most `JOB_WINDOW` jobs of a
queue, and `JOB_WINDOW_PER_ORGANIZATION` of one organization in it, are nudged and not yet taken.
Redis therefore never holds one customer's ten thousand messages before another's ten.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from functools import partial

import structlog
from celery import current_app
from django.conf import settings
from django.db import connection, transaction
from kombu.exceptions import OperationalError as BrokerError

from core.jobs.models import Job
from core.jobs.queues import QUEUES

log = structlog.get_logger(__name__)

BROKER_PAUSE_SECONDS = 30.0  # after a refused message, leave the broker to the relay for a while
NUDGE_AGAIN_SECONDS = 30.0  # doubled with every nudge of the same job
LOST_AFTER_SECONDS = 2.0  # an empty broker queue with a nudge older than this has lost it

MARK_IF_ROOM = """
UPDATE core_job AS job
   SET nudged_at = clock_timestamp(), nudges = nudges + 1
 WHERE id = %(id)s AND status = 'queued' AND nudged_at IS NULL AND run_at <= clock_timestamp()
   AND (SELECT count(*) FROM core_job AS sent
         WHERE sent.queue = job.queue AND sent.status = 'queued' AND sent.nudged_at IS NOT NULL
       ) < %(window)s
   AND (SELECT count(*) FROM core_job AS sent
         WHERE sent.queue = job.queue AND sent.status = 'queued' AND sent.nudged_at IS NOT NULL
           AND sent.organization_id IS NOT DISTINCT FROM job.organization_id
       ) < %(share)s
RETURNING id
"""

MARK_NEXT = """
WITH sent AS (
    SELECT organization_id, count(*) AS held FROM core_job
     WHERE queue = %(queue)s AND status = 'queued' AND nudged_at IS NOT NULL
     GROUP BY organization_id
), waiting AS (
    SELECT job.id, job.priority, job.run_at, COALESCE(sent.held, 0) + row_number() OVER (
               PARTITION BY job.organization_id ORDER BY job.priority DESC, job.run_at, job.id
           ) AS turn
      FROM core_job AS job
      LEFT JOIN sent ON sent.organization_id IS NOT DISTINCT FROM job.organization_id
     WHERE job.queue = %(queue)s AND job.status = 'queued' AND job.nudged_at IS NULL
       AND job.run_at <= clock_timestamp()
), chosen AS (
    SELECT id FROM waiting WHERE turn <= %(share)s
     ORDER BY priority DESC, turn, run_at
     LIMIT GREATEST(0, %(window)s - (SELECT COALESCE(sum(held), 0) FROM sent))
)
UPDATE core_job SET nudged_at = clock_timestamp(), nudges = nudges + 1
 WHERE id IN (SELECT id FROM chosen) AND status = 'queued' AND nudged_at IS NULL
RETURNING id, kind, queue
"""

MARK_AGAIN = """
UPDATE core_job SET nudged_at = clock_timestamp(), nudges = LEAST(nudges + 1, 8)
 WHERE queue = %(queue)s AND status = 'queued'
   AND nudged_at < clock_timestamp() - make_interval(secs => CASE WHEN %(lost)s
       THEN %(lost_after)s ELSE %(again)s * power(2, LEAST(nudges, 8) - 1) END)
RETURNING id, kind, queue
"""

_broker_away_until = 0.0


class BrokerAway(Exception):
    """A message was refused; its job and those behind it stay for the relay's next round."""


def nudge_on_commit(job: Job) -> None:
    """Send the job's message once the open transaction commits, if its window has room."""
    transaction.on_commit(partial(_nudge, job.id, job.kind, job.queue), robust=True)


def fill_windows() -> int:
    """Send messages for due jobs as far as the windows allow; return how many were sent."""
    return sum(_send_marked(_mark(MARK_NEXT, queue)) for queue in QUEUES)


def nudge_again() -> int:
    """Send once more what was nudged and never taken: its message may be lost."""
    return sum(
        _send_marked(_mark(MARK_AGAIN, queue, lost=_broker_queue_is_empty(queue)))
        for queue in QUEUES
        if _has_nudged(queue)
    )


def _nudge(job_id: uuid.UUID, kind: str, queue: str) -> None:
    if time.monotonic() < _broker_away_until:
        return
    with connection.cursor() as cursor:
        cursor.execute(MARK_IF_ROOM, {"id": job_id, **_limits()})
        if cursor.fetchone() is None:
            return
    with contextlib.suppress(BrokerAway):
        _send_marked([(job_id, kind, queue)])


def _limits() -> dict[str, int]:
    return {"window": settings.JOB_WINDOW, "share": settings.JOB_WINDOW_PER_ORGANIZATION}


def _mark(statement: str, queue: str, *, lost: bool = False) -> list[tuple[uuid.UUID, str, str]]:
    again = {"lost": lost, "lost_after": LOST_AFTER_SECONDS, "again": NUDGE_AGAIN_SECONDS}
    with connection.cursor() as cursor:
        cursor.execute(statement, {"queue": queue, **_limits(), **again})
        return cursor.fetchall()


def _has_nudged(queue: str) -> bool:
    return Job.objects.filter(queue=queue, status="queued", nudged_at__isnull=False).exists()


def _broker_queue_is_empty(queue: str) -> bool:
    with current_app.connection_for_write() as broker:
        return broker.default_channel.client.llen(queue) == 0


def _send_marked(jobs: list[tuple[uuid.UUID, str, str]]) -> int:
    """Send messages for marked jobs. Raises BrokerAway, those not taken being unmarked."""
    for position, (job_id, kind, queue) in enumerate(jobs):
        try:
            current_app.send_task(
                kind, kwargs={"job_id": str(job_id)}, queue=queue, task_id=str(job_id)
            )
        except (BrokerError, OSError) as error:
            _leave_to_relay([job_id for job_id, _, _ in jobs[position:]], error)
            raise BrokerAway from error
    return len(jobs)


def _leave_to_relay(job_ids: list[uuid.UUID], error: Exception) -> None:
    global _broker_away_until  # noqa: PLW0603 - one process-wide memory of a broker that is away
    _broker_away_until = time.monotonic() + BROKER_PAUSE_SECONDS
    log.warning("broker.away", error=type(error).__name__, jobs=len(job_ids))
    Job.objects.filter(id__in=job_ids, status="queued").update(nudged_at=None)
