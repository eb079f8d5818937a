"""Every move of a job's status, in one place and one lock order: the parent first, then the job.

Each function opens no transaction of its own except `claim`; callers hold one and the lock.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from core.db.clock import database_now
from core.db.rows import new_id
from core.events import services as events
from core.events.registry import EventType
from core.jobs import dispatch
from core.jobs.events import JOB_DEAD, JOB_FAILED
from core.jobs.failures import LIMITS, LeaseLost, Reason
from core.jobs.models import ACTIVE, CHILDREN_END_AT, AttemptOutcome, Job, JobStatus
from core.jobs.policies import delay_after
from core.jobs.queues import QUEUES

# An organization that runs its share of a queue claims no more of it while a job of another waits
# with a message out, and that one runs less. Nobody waiting, everybody may take every process.
CLAIM = """
WITH claimed AS (
UPDATE core_job AS job
   SET status = 'running', lease_owner = %(owner)s, lease_token = lease_token + 1,
       lease_until = clock_timestamp() + make_interval(secs => %(lease)s),
       attempts = attempts + 1, started_at = COALESCE(started_at, clock_timestamp()),
       dispatched_at = NULL, dispatch_count = 0, updated_at = clock_timestamp()
 WHERE id = %(id)s AND attempts < max_attempts
   AND (status = 'queued' AND run_at <= clock_timestamp() AND NOT EXISTS (
            SELECT FROM (
                SELECT count(*) AS running FROM core_job AS busy
                 WHERE busy.status = 'running' AND busy.lease_until > clock_timestamp()
                   AND busy.queue = job.queue AND busy.organization_id = job.organization_id
            ) AS mine
             WHERE mine.running >= (%(caps)s::jsonb ->> job.queue)::int AND EXISTS (
                SELECT FROM core_job AS other
                 WHERE other.queue = job.queue AND other.status = 'queued'
                   AND other.dispatched_at IS NOT NULL AND other.run_at <= clock_timestamp()
                   AND other.organization_id <> job.organization_id
                   AND other.priority >= job.priority
                   AND mine.running > (
                    SELECT count(*) FROM core_job AS busy
                     WHERE busy.status = 'running' AND busy.lease_until > clock_timestamp()
                       AND busy.queue = job.queue
                       AND busy.organization_id = other.organization_id)))
        OR status = 'running' AND lease_until < clock_timestamp())
RETURNING job.*,
    (SELECT count(*) <= %(low)s FROM core_job AS sent
      WHERE sent.queue = job.queue AND sent.status = 'queued' AND sent.dispatched_at IS NOT NULL)
    AND EXISTS (SELECT FROM core_job AS next
                 WHERE next.queue = job.queue AND next.status = 'queued'
                   AND next.dispatched_at IS NULL AND next.run_at <= clock_timestamp())
    AS window_is_low
), lost AS (
UPDATE core_jobattempt SET outcome = 'lost', ended_at = clock_timestamp()
 WHERE job_id IN (SELECT id FROM claimed) AND outcome = 'running'
), attempt AS (
INSERT INTO core_jobattempt (id, created_at, updated_at, job_id, token, worker, outcome,
                             error_code, error_detail, started_at)
SELECT %(attempt_id)s, updated_at, updated_at, id, lease_token, %(owner)s, 'running', '', '',
       updated_at
  FROM claimed
)
SELECT claimed.*, (SELECT pg_notify(%(channel)s, '') WHERE window_is_low) AS woken FROM claimed
"""
# What a move of a status may change; the rest of a row is as it was made.
MOVED = (
    "status",
    "attempts",
    "run_at",
    "lease_owner",
    "lease_until",
    "dispatched_at",
    "dispatch_count",
    "progress",
    "step",
    "error_code",
    "error_message",
    "cancel_requested_at",
    "started_at",
    "ended_at",
    "updated_at",
)
# How long a job waits for what it needs, as room on the disk, before that costs it attempts.
LONGEST_WAIT_SECONDS = 24 * 3600.0
LONGEST_PAUSE_SECONDS = 600.0
SUCCEED_ALONE = """
WITH done AS (
    UPDATE core_job
       SET status = 'succeeded', progress = 1, error_code = '', error_message = '',
           lease_until = NULL, lease_owner = '', ended_at = clock_timestamp(),
           updated_at = clock_timestamp()
     WHERE id = %(id)s AND lease_token = %(token)s AND status = 'running'
       AND lease_until IS NOT NULL AND parent_id IS NULL
    RETURNING id
)
UPDATE core_jobattempt SET outcome = 'succeeded', ended_at = clock_timestamp()
 WHERE job_id IN (SELECT id FROM done) AND token = %(token)s
"""
HAND_BACK = """
UPDATE core_job SET dispatched_at = NULL
 WHERE id = %(id)s AND status = 'queued' AND dispatched_at IS NOT NULL
   AND run_at <= clock_timestamp() AND attempts < max_attempts
"""


def claim(job_id: uuid.UUID, *, owner: str) -> Job | None:
    """Take the job for `owner`, or None when the message was a duplicate, early or out of date.

    None too when others are to be served first: the job then waits for another message. One
    statement does it all, so that a small job is not mostly bookkeeping.
    """
    claimed: Any = Job.objects.raw(CLAIM, _claim_values(job_id, owner))
    job: Job | None = next(iter(claimed), None)
    if job is None:
        _hand_back(job_id)
    return job


def _claim_values(job_id: uuid.UUID, owner: str) -> dict[str, Any]:
    caps = {queue.name: queue.running_per_organization for queue in QUEUES.values()}
    return {
        "id": job_id,
        "owner": owner,
        "attempt_id": new_id(),
        "channel": events.CHANNEL,
        "lease": settings.JOB_LEASE_SECONDS,
        "caps": json.dumps(caps),
        "low": settings.JOB_WINDOW_PER_ORGANIZATION // 2,
    }


def _hand_back(job_id: uuid.UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute(HAND_BACK, {"id": job_id})


def lock(
    job_id: uuid.UUID, *, token: int | None = None, wait: bool = True, has_parent: bool = True
) -> Job:
    """Lock the job's parent, then the job. Who knows that it has none saves a look.

    Raises LeaseLost when the job is gone, when `token` no longer holds it, or, without `wait`,
    when somebody else has locked either row.
    """
    rows = Job.objects.select_for_update(no_key=True, skip_locked=not wait)
    parent_id = _parent_of(job_id) if has_parent else None
    if parent_id is not None and rows.filter(id=parent_id).first() is None:
        raise LeaseLost(str(job_id))
    held = rows.filter(id=job_id)
    if token is not None:
        held = held.filter(status=JobStatus.RUNNING, lease_token=token, lease_until__isnull=False)
    job = held.first()
    if job is None:
        raise LeaseLost(str(job_id))
    return job


def _parent_of(job_id: uuid.UUID) -> uuid.UUID | None:
    return Job.objects.filter(id=job_id).values_list("parent_id", flat=True).first()


def succeed(job: Job) -> None:
    """The work is done."""
    job.progress = 1.0
    job.error_code = job.error_message = ""
    _close_attempts(job, AttemptOutcome.SUCCEEDED)
    _end(job, JobStatus.SUCCEEDED)


def succeed_alone(job_id: uuid.UUID, *, token: int) -> bool:
    """The work of a job without parent is done, and wrote nothing that must commit with that.

    One statement instead of a transaction. False when the job is another's by now.
    """
    with connection.cursor() as cursor:
        cursor.execute(SUCCEED_ALONE, {"id": job_id, "token": token})
        return cursor.rowcount == 1


def fail(job: Job, reason: Reason, *, outcome: AttemptOutcome = AttemptOutcome.FAILED) -> None:
    """An attempt failed: back to the queue after a pause, or the end of the job."""
    job.error_code, job.error_message = reason.code, reason.message[:500]
    tried_seconds = (database_now() - job.started_at).total_seconds() if job.started_at else 0.0
    if reason.waits and job.cancel_requested_at is None and tried_seconds < LONGEST_WAIT_SECONDS:
        job.attempts -= 1
        _close_attempts(job, AttemptOutcome.WAITING, reason)
        # Room that a minute did not bring is not looked for a thousand times a day.
        pause = min(max(reason.retry_after or 0, tried_seconds / 10), LONGEST_PAUSE_SECONDS)
        _requeue(job, delay=pause)
        return
    _close_attempts(job, outcome, reason)
    if job.cancel_requested_at is not None:
        _end(job, JobStatus.CANCELLED)
    elif reason.permanent or _reaches_its_limit_again(job, reason):
        _end(job, JobStatus.FAILED)
        _publish_end(job, JOB_FAILED)
    elif job.attempts >= job.max_attempts:
        _end(job, JobStatus.DEAD)
        _publish_end(job, JOB_DEAD)
    else:
        delay = max(delay_after(job.kind, job.attempts), reason.retry_after or 0)
        _requeue(job, delay=delay)


def _reaches_its_limit_again(job: Job, reason: Reason) -> bool:
    """Whether the attempt before this one ended by the same limit of time or memory, and no step
    was finished since: a third would end there too.
    """
    if reason.code not in LIMITS or job.attempts < 2:
        return False
    before = job.attempt_log.filter(token__lt=job.lease_token).order_by("-token").first()
    if before is None or before.error_code != reason.code:
        return False
    return not job.steps.filter(created_at__gte=before.started_at).exists()


def release(job: Job) -> None:
    """The worker is stopping: back to the queue at once, the attempt not counted.

    A job that somebody cancelled meanwhile has no business there.
    """
    if job.cancel_requested_at is not None:
        cancel(job)
        return
    job.attempts -= 1
    _close_attempts(job, AttemptOutcome.RELEASED)
    _requeue(job, delay=0)


def cancel(job: Job) -> None:
    """Somebody asked for it to stop, and it has."""
    _close_attempts(job, AttemptOutcome.CANCELLED)
    _end(job, JobStatus.CANCELLED)


def wait_for_children(job: Job) -> None:
    """Keep the job running without a worker until its children have ended; not counted."""
    job.attempts -= 1
    _close_attempts(job, AttemptOutcome.WAITING)
    clear_lease(job)
    job.save(update_fields=MOVED)


def mark_waiting(job: Job) -> None:
    """A requeued job whose children are to be done first waits for them, as after delegating."""
    job.status = JobStatus.RUNNING
    clear_lease(job)
    job.save(update_fields=MOVED)


def resume(parent: Job) -> None:
    """The last child has ended: the parent goes on from there, with all outcomes known."""
    parent.progress = max(parent.progress, CHILDREN_END_AT)
    _requeue(parent, delay=0)


def requeue(job: Job) -> None:
    """Staff ask for another round: a fresh set of attempts; finished steps are kept."""
    job.attempts = 0
    job.progress = 0.0
    job.started_at = job.cancel_requested_at = job.ended_at = None
    job.error_code = job.error_message = ""
    _requeue(job, delay=0)


def _end(job: Job, status: JobStatus) -> None:
    job.status = status
    job.ended_at = database_now()
    clear_lease(job)
    job.save(update_fields=MOVED)
    if job.parent_id is not None:
        _resume_if_last(job.parent_id)


def _resume_if_last(parent_id: uuid.UUID) -> None:
    """Runs under the parent's lock, so two children that end together cannot both see the other."""
    parent = Job.objects.get(id=parent_id)
    if parent.is_waiting and not parent.children.filter(status__in=ACTIVE).exists():
        resume(parent)


def _requeue(job: Job, *, delay: float) -> None:
    job.status = JobStatus.QUEUED
    job.run_at = database_now(plus_seconds=delay)
    job.dispatched_at = None
    job.dispatch_count = 0
    clear_lease(job)
    job.save(update_fields=MOVED)
    if delay == 0:
        dispatch.dispatch_on_commit(job)


def clear_lease(job: Job) -> None:
    job.lease_until = None
    job.lease_owner = ""


def _close_attempts(job: Job, outcome: AttemptOutcome, reason: Reason | None = None) -> None:
    job.attempt_log.filter(outcome=AttemptOutcome.RUNNING).update(
        outcome=outcome,
        ended_at=Now(),
        error_code=reason.code if reason else "",
        error_detail=reason.detail if reason else "",
    )


def _publish_end(job: Job, kind: EventType) -> None:
    """Tell the world about jobs that somebody asked for; a child is reported by its parent."""
    if job.organization_id is None or job.parent_id is not None:
        return
    data = {
        "job_id": str(job.id),
        "kind": job.kind,
        "subject_id": str(job.subject_id or ""),
        "error_code": job.error_code,
    }
    events.publish(
        kind, organization_id=job.organization_id, data=data, actor_id=job.requested_by_id
    )
