"""Which queued jobs get a message now: a window per queue, shared fairly between organizations.

Claims come by id, so the order of work is made by what is sent. At most `JOB_WINDOW` jobs of a
queue, and `JOB_WINDOW_PER_ORGANIZATION` of one organization in it, are dispatched and unclaimed.
Redis therefore never holds one customer's ten thousand messages before another's ten. An
organization that runs its share of a queue is sent no more while others wait who run less; what
was sent before they came is handed back when it would be claimed (core/jobs/transitions.py).
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
DISPATCH_AGAIN_SECONDS = 30.0  # doubled with every dispatch of the same job
LOST_AFTER_SECONDS = 2.0  # an empty broker queue with a dispatch older than this has lost it

# Whether the message of a job may go now; `job` is a row with its queue and organization.
HAS_ROOM = """
(SELECT count(*) FROM core_job AS sent
  WHERE sent.queue = {job}.queue AND sent.status = 'queued' AND sent.dispatched_at IS NOT NULL
) < %(window)s::int
AND (SELECT count(*) FROM core_job AS sent
      WHERE sent.queue = {job}.queue AND sent.status = 'queued' AND sent.dispatched_at IS NOT NULL
        AND sent.organization_id IS NOT DISTINCT FROM {job}.organization_id
    ) < %(share)s::int
"""

# A mark that a crash of the database forgets is a message too many: no reason to wait for its disk.
MARK_IF_ROOM = f"""
UPDATE core_job AS job
   SET dispatched_at = clock_timestamp(), dispatch_count = dispatch_count + 1
  FROM (SELECT set_config('synchronous_commit', 'off', true)) AS soon
 WHERE id = %(id)s AND status = 'queued' AND dispatched_at IS NULL AND run_at <= clock_timestamp()
   AND {HAS_ROOM.format(job="job")}
RETURNING id
"""  # noqa: S608 - a constant of ours

# The organizations that wait are found by hopping over the index from one to the next, and of each
# only as many jobs are looked at as could be sent: ten thousand more in a queue cost nothing.
DISPATCH_NEXT = """
WITH RECURSIVE owners AS (
    (SELECT organization_id FROM core_job
      WHERE queue = %(queue)s AND status = 'queued' AND dispatched_at IS NULL
        AND organization_id IS NOT NULL
      ORDER BY organization_id LIMIT 1)
    UNION ALL
    SELECT (SELECT job.organization_id FROM core_job AS job
             WHERE job.queue = %(queue)s AND job.status = 'queued' AND job.dispatched_at IS NULL
               AND job.organization_id > owners.organization_id
             ORDER BY job.organization_id LIMIT 1)
      FROM owners WHERE owners.organization_id IS NOT NULL
), sent AS (
    SELECT organization_id, count(*) AS held FROM core_job
     WHERE queue = %(queue)s AND status = 'queued' AND dispatched_at IS NOT NULL
     GROUP BY organization_id
), room AS (
    SELECT GREATEST(0, %(window)s - COALESCE(sum(held), 0))::int AS free FROM sent
), busy AS (
    SELECT organization_id, count(*) AS running FROM core_job
     WHERE status = 'running' AND lease_until > clock_timestamp() AND queue = %(queue)s
     GROUP BY organization_id
), asking AS (
    SELECT owners.organization_id, COALESCE(sent.held, 0) AS held,
           COALESCE(busy.running, 0) AS running
      FROM owners
      LEFT JOIN sent ON sent.organization_id = owners.organization_id
      LEFT JOIN busy ON busy.organization_id = owners.organization_id
     WHERE owners.organization_id IS NOT NULL
), waiting AS (
    SELECT job.*, asking.held, asking.held + asking.running AS load, asking.organization_id
      FROM asking CROSS JOIN room CROSS JOIN LATERAL (
           SELECT id, priority, run_at FROM core_job
            WHERE queue = %(queue)s AND status = 'queued' AND dispatched_at IS NULL
              AND organization_id = asking.organization_id AND run_at <= clock_timestamp()
            ORDER BY priority DESC, run_at
            LIMIT LEAST(room.free, GREATEST(0, %(share)s - asking.held))) AS job
     WHERE asking.running < %(cap)s OR NOT EXISTS (
           SELECT FROM sent LEFT JOIN busy USING (organization_id)
            WHERE sent.organization_id <> asking.organization_id
              AND COALESCE(busy.running, 0) < asking.running)
    UNION ALL
    SELECT job.*, own.held, own.held, NULL
      FROM (SELECT COALESCE(sum(held), 0)::int AS held FROM sent
             WHERE organization_id IS NULL) AS own
     CROSS JOIN room CROSS JOIN LATERAL (
           SELECT id, priority, run_at FROM core_job
            WHERE queue = %(queue)s AND status = 'queued' AND dispatched_at IS NULL
              AND organization_id IS NULL AND run_at <= clock_timestamp()
            ORDER BY priority DESC, run_at
            LIMIT LEAST(room.free, GREATEST(0, %(share)s - own.held))) AS job
), chosen AS (
    SELECT id, priority, run_at, load + row_number() OVER (
               PARTITION BY organization_id ORDER BY priority DESC, run_at, id
           ) AS turn
      FROM waiting
     ORDER BY priority DESC, turn, run_at, id
     LIMIT (SELECT free FROM room)
), marked AS (
    UPDATE core_job SET dispatched_at = clock_timestamp(), dispatch_count = dispatch_count + 1
     WHERE id IN (SELECT id FROM chosen) AND status = 'queued' AND dispatched_at IS NULL
    RETURNING id, kind, queue
)
SELECT marked.* FROM marked JOIN chosen USING (id)
 ORDER BY chosen.priority DESC, chosen.turn, chosen.run_at, marked.id
"""

MARK_AGAIN = """
UPDATE core_job SET dispatched_at = clock_timestamp(), dispatch_count = LEAST(dispatch_count + 1, 8)
 WHERE queue = %(queue)s AND status = 'queued'
   AND dispatched_at < clock_timestamp() - make_interval(secs => CASE WHEN %(lost)s
       THEN %(lost_after)s ELSE %(again)s * power(2, LEAST(dispatch_count, 8) - 1) END)
RETURNING id, kind, queue
"""

QUEUES_WITH = """
SELECT queue.name FROM unnest(%(queues)s::text[]) AS queue (name)
 WHERE EXISTS (SELECT FROM core_job
                WHERE core_job.queue = queue.name AND status = 'queued' AND {jobs})
"""
WAITING = "dispatched_at IS NULL AND run_at <= clock_timestamp()"
SENT_A_WHILE_AGO = (
    "dispatched_at IS NOT NULL"
    " AND dispatched_at < clock_timestamp() - make_interval(secs => %(lost_after)s)"
)

_broker_away_until = 0.0


class BrokerAway(Exception):
    """A message was refused; its job and those behind it stay for the relay's next round."""


def dispatch_on_commit(job: Job) -> None:
    """Send the job's message once the open transaction commits, if its window has room then."""
    transaction.on_commit(partial(_dispatch, job.id, job.kind, job.queue), robust=True)


def send_on_commit(job: Job) -> None:
    """Send the message of a job that is marked as dispatched once the open transaction commits."""
    transaction.on_commit(partial(_send_marked_one, job.id, job.kind, job.queue), robust=True)


def is_broker_away() -> bool:
    """Whether it refused a message a moment ago."""
    return time.monotonic() < _broker_away_until


def limits() -> dict[str, int]:
    """How many messages of a queue, and of one organization in it, may be out."""
    return {"window": settings.JOB_WINDOW, "share": settings.JOB_WINDOW_PER_ORGANIZATION}


def fill_windows() -> int:
    """Send messages for due jobs as far as the windows allow; return how many were sent."""
    return sum(_send_marked(_mark(DISPATCH_NEXT, queue)) for queue in _queues_with(WAITING))


def dispatch_again() -> int:
    """Send again the messages of jobs that were dispatched and never claimed: they may be lost."""
    return sum(
        _send_marked(_mark(MARK_AGAIN, queue, lost=_broker_queue_is_empty(queue)))
        for queue in _queues_with(SENT_A_WHILE_AGO)
    )


def _queues_with(jobs: str) -> list[str]:
    """One look at the ends of an index tells a round which queues have anything to do."""
    statement = QUEUES_WITH.format(jobs=jobs)
    with connection.cursor() as cursor:
        cursor.execute(statement, {"queues": list(QUEUES), "lost_after": LOST_AFTER_SECONDS})
        return [queue for (queue,) in cursor.fetchall()]


def _dispatch(job_id: uuid.UUID, kind: str, queue: str) -> None:
    if is_broker_away():
        return
    with connection.cursor() as cursor:
        cursor.execute(MARK_IF_ROOM, {"id": job_id, **limits()})
        if cursor.fetchone() is None:
            return
    _send_marked_one(job_id, kind, queue)


def _send_marked_one(job_id: uuid.UUID, kind: str, queue: str) -> None:
    """Of many jobs of one transaction only the first waits for a broker that is away."""
    if is_broker_away():
        _unmark([job_id])
        return
    with contextlib.suppress(BrokerAway):
        _send_marked([(job_id, kind, queue)])


def _mark(statement: str, queue: str, *, lost: bool = False) -> list[tuple[uuid.UUID, str, str]]:
    again = {"lost": lost, "lost_after": LOST_AFTER_SECONDS, "again": DISPATCH_AGAIN_SECONDS}
    with connection.cursor() as cursor:
        cap = QUEUES[queue].running_per_organization
        cursor.execute(statement, {"queue": queue, "cap": cap, **limits(), **again})
        return cursor.fetchall()


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
    _unmark(job_ids)


def _unmark(job_ids: list[uuid.UUID]) -> None:
    Job.objects.filter(id__in=job_ids, status="queued").update(dispatched_at=None)
