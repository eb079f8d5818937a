"""Asking for background work, stopping it, and giving it another round."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from core import errors
from core.db.clock import database_now
from core.db.rows import new_id
from core.db.transactions import require_transaction
from core.jobs import dispatch, transitions
from core.jobs.failures import LeaseLost
from core.jobs.models import ACTIVE, Job, JobQuerySet, JobStatus, JobStep
from core.jobs.policies import policy_of
from core.monitoring.requests import current_request_id


class JobHasEnded(errors.Conflict):
    """A job that has ended cannot be cancelled."""

    code = "job.has_ended"
    message = "The job has already ended."


class JobNotEnded(errors.Conflict):
    """Only an unsuccessful end can be followed by another round."""

    code = "job.cannot_be_requeued"
    message = "Only a failed, dead or cancelled job can be queued again."


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose work a job is: copied from an actor by the caller, or from a parent job."""

    organization_id: uuid.UUID | None = None
    team_id: uuid.UUID | None = None
    requested_by_id: uuid.UUID | None = None


HOUSEKEEPING = Origin()
HIGHEST_PRIORITY = 100
DUPLICATE = "The same work is already queued by another job."
WENT_ON = "The parent of this job went on without it. Ask for the parent's work again."

# Marks the job as dispatched while its window has room, so only the message is left for after the
# commit. A process that dies between the two leaves a mark without a message; the relay sends again
# the messages of jobs that were marked a while ago and never claimed.
INSERT_JOB = f"""
INSERT INTO core_job AS job
       (id, created_at, updated_at, kind, queue, status, priority, max_attempts, arguments,
        organization_id, team_id, requested_by_id, request_id, parent_id, subject_id, dedup_key,
        size, run_at, dispatched_at, dispatch_count, attempts, lease_owner, lease_token, progress,
        step,
        error_code, error_message)
SELECT %(id)s::uuid, moment, moment, %(kind)s::text, queue, 'queued', %(priority)s::smallint,
       %(max_attempts)s::smallint, %(arguments)s::jsonb, organization_id, %(team_id)s::uuid,
       %(requested_by_id)s::uuid, %(request_id)s::text, %(parent_id)s::uuid,
       %(subject_id)s::uuid, %(dedup_key)s::text, %(size)s::float8,
       COALESCE(later, moment),
       CASE WHEN is_sent THEN moment END, is_sent::int, 0, '', 0, 0, '', '', ''
  FROM (SELECT request.*, may_send AND (later IS NULL OR later <= moment)
               AND {dispatch.HAS_ROOM.format(job="request")} AS is_sent
          FROM (SELECT clock_timestamp() AS moment, %(queue)s::text AS queue,
                       %(organization_id)s::uuid AS organization_id,
                       %(run_at)s::timestamptz AS later,
                       %(may_send)s::boolean AS may_send) AS request
        OFFSET 0) AS request
    ON CONFLICT DO NOTHING
RETURNING *
"""  # noqa: S608 - a constant of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """The values of a job to insert; `run_at` None is now."""

    kind: str
    queue: str
    priority: int
    max_attempts: int
    arguments: dict[str, Any]
    organization_id: uuid.UUID | None
    team_id: uuid.UUID | None
    requested_by_id: uuid.UUID | None
    request_id: str
    subject_id: uuid.UUID | None
    parent_id: uuid.UUID | None = None
    dedup_key: str = ""
    size: float | None = None
    run_at: datetime | None = None


def enqueue(
    *,
    kind: str,
    origin: Origin,
    arguments: Mapping[str, Any],
    subject_id: uuid.UUID | None = None,
    dedup_key: str = "",
    priority: int | None = None,
    run_at: datetime | None = None,
    size: float | None = None,
) -> Job:
    """Write a job into the open transaction and dispatch it once that commits.

    While a job with the same organization, kind and `dedup_key` is active, that one is returned
    instead, and nobody can cancel it before this transaction ends. One that was told to stop ends
    here and gives way. `size` is how much there is to do, in a unit of the kind, for estimates.
    Raises KeyError for an unknown kind and RuntimeError outside a transaction.
    """
    require_transaction("enqueue")
    policy = policy_of(kind)
    return insert_or_existing(
        JobRequest(
            kind=kind,
            queue=policy.queue,
            priority=policy.priority if priority is None else priority,
            max_attempts=policy.attempts,
            arguments=dict(arguments),
            organization_id=origin.organization_id,
            team_id=origin.team_id,
            requested_by_id=origin.requested_by_id,
            request_id=current_request_id(),
            subject_id=subject_id,
            dedup_key=dedup_key,
            run_at=run_at,
            size=size,
        )
    )


def enqueue_child(
    *,
    parent: Job,
    kind: str,
    arguments: Mapping[str, Any],
    steps: Mapping[str, Any] | None = None,
) -> Job:
    """Write a child of `parent`, with the outputs of steps that are already known."""
    require_transaction("enqueue_child")
    policy = policy_of(kind)
    child = insert_or_existing(
        JobRequest(
            kind=kind,
            queue=policy.queue,
            priority=parent.priority,
            max_attempts=policy.attempts,
            arguments=dict(arguments),
            organization_id=parent.organization_id,
            team_id=parent.team_id,
            requested_by_id=parent.requested_by_id,
            request_id=parent.request_id,
            subject_id=parent.subject_id,
            parent_id=parent.id,
        )
    )
    JobStep.objects.bulk_create(
        JobStep(job=child, name=name, output=output) for name, output in (steps or {}).items()
    )
    return child


def insert_job(request: JobRequest) -> Job | None:
    """Insert the job and send its message after the commit; None when a duplicate is active.

    Waits for another transaction that is inserting the duplicate.
    """
    values = {
        **asdict(request),
        "id": new_id(),
        "arguments": json.dumps(request.arguments),
        "may_send": not dispatch.is_broker_away(),
        **dispatch.limits(),
    }
    inserted: Any = Job.objects.raw(INSERT_JOB, values)
    job: Job | None = next(iter(inserted), None)
    if job is not None and job.dispatched_at is not None:
        dispatch.send_on_commit(job)
    return job


def insert_or_existing(request: JobRequest) -> Job:
    """A new job, or the active one for the same work."""
    while True:
        job = insert_job(request)
        if job is not None:
            return job
        duplicate = _active_duplicates(
            request.organization_id, request.kind, request.dedup_key
        ).first()
        going_on = _unless_stopping(duplicate) if duplicate is not None else None
        if going_on is not None:
            return going_on


def _unless_stopping(duplicate: Job) -> Job | None:
    """The locked duplicate if it will be done; if it is being cancelled, it is cancelled now.

    A worker that is still at it has lost its lease by that, and writes nothing more.
    """
    try:
        held = transitions.lock(duplicate.id)
    except LeaseLost:  # deleted meanwhile
        return None
    if held.has_ended:
        return None
    if held.cancel_requested_at is None:
        return held
    transitions.cancel(held)
    return None


def cancel_job(*, job: Job) -> Job:
    """Stop a job: at once while it waits, at its next checkpoint while it runs.

    Raises JobHasEnded when there is nothing to stop.
    """
    with transaction.atomic():
        held = _lock(job)
        if held.has_ended:
            raise JobHasEnded
        held.cancel_requested_at = database_now()
        held.save(update_fields=["cancel_requested_at", "updated_at"])
        for child in held.children.filter(status__in=ACTIVE):
            _cancel_child(child)
        held.refresh_from_db()
        if held.status == JobStatus.QUEUED or held.is_waiting:
            transitions.cancel(held)
    return held


def _lock(job: Job) -> Job:
    """The locked job. Raises NotFound when it was deleted meanwhile."""
    try:
        return transitions.lock(job.id)
    except LeaseLost:
        raise errors.NotFound from None


def _cancel_child(child: Job) -> None:
    """Under the parent's lock: children that wait end here, running ones are asked to."""
    held = Job.objects.select_for_update(no_key=True).get(id=child.id)
    held.cancel_requested_at = database_now()
    held.save(update_fields=["cancel_requested_at", "updated_at"])
    if held.status == JobStatus.QUEUED:
        held.status = JobStatus.CANCELLED
        held.ended_at = database_now()
        held.save(update_fields=["status", "ended_at", "updated_at"])


def requeue_job(*, job: Job) -> Job:
    """Give a failed, dead or cancelled job another round; children that succeeded stay done.

    A child whose parent has ended is queued again with it: alone its result would go unused. Raises
    JobNotEnded for any other status, and for a child whose parent went on without it.
    """
    try:
        with transaction.atomic():
            return _requeue(job)
    except IntegrityError as error:  # asked for again by somebody else at this very moment
        raise JobNotEnded(DUPLICATE) from error


def _requeue(job: Job) -> Job:
    held = _lock(job)
    # A running job becomes queued again for its next attempt only, never because someone asks.
    if not held.has_ended or not held.may_become(JobStatus.QUEUED):
        raise JobNotEnded
    parent = held.parent
    if parent is not None and parent.has_ended:
        _requeue_with_children(parent)
    elif parent is not None and not parent.is_waiting:
        raise JobNotEnded(WENT_ON)
    else:
        _requeue_with_children(held)
    held.refresh_from_db()
    return held


def _requeue_with_children(job: Job) -> None:
    """Under its lock: the job, or if it has unfinished children those, with the job waiting."""
    if not job.may_become(JobStatus.QUEUED):
        raise JobNotEnded(WENT_ON)
    _check_no_duplicate(job)
    unfinished = list(job.children.exclude(status=JobStatus.SUCCEEDED))
    transitions.requeue(job)
    if unfinished:
        transitions.mark_waiting(job)
    for child in unfinished:
        if child.has_ended:
            transitions.requeue(child)


def requeue_jobs(*, jobs: Iterable[Job]) -> tuple[int, int]:
    """Give each another round; how many got one, and how many could not have it."""
    requeued = refused = 0
    for job in jobs:
        try:
            requeue_job(job=job)
            requeued += 1
        except errors.DomainError:
            refused += 1
    return requeued, refused


def raise_priority(*, job: Job) -> Job:
    """Let a job, with its children, go before those of its queue that have not been sent.

    Raises JobHasEnded.
    """
    with transaction.atomic():
        held = _lock(job)
        if held.has_ended:
            raise JobHasEnded
        held.priority = min(held.priority + 1, HIGHEST_PRIORITY)
        held.save(update_fields=["priority", "updated_at"])
        held.children.filter(status__in=ACTIVE).update(priority=held.priority)
    return held


def _active_duplicates(organization_id: uuid.UUID | None, kind: str, dedup_key: str) -> JobQuerySet:
    """Active jobs for the same work."""
    same = {"organization_id": organization_id, "kind": kind, "dedup_key": dedup_key}
    return Job.objects.active().filter(**same)


def _check_no_duplicate(job: Job) -> None:
    if job.dedup_key and _active_duplicates(job.organization_id, job.kind, job.dedup_key).exists():
        raise JobNotEnded(DUPLICATE)


def move_subjects(subject_ids: list[uuid.UUID], *, team_id: uuid.UUID | None) -> None:
    """Let the jobs about something follow it into another team, and out of other people's sight."""
    _lock_subjects(subject_ids)
    Job.objects.filter(subject_id__in=subject_ids).update(team_id=team_id)


def forget_subjects(subject_ids: list[uuid.UUID]) -> None:
    """Delete the jobs about something that is being deleted, with the text their steps kept.

    A worker in the middle of one finds its lease gone and writes nothing.
    """
    _lock_subjects(subject_ids)
    Job.objects.filter(subject_id__in=subject_ids).delete()


def _lock_subjects(subject_ids: list[uuid.UUID]) -> None:
    """In the order of every other lock: parents, then their children, each by id."""
    about = Job.objects.select_for_update().filter(subject_id__in=subject_ids).order_by("id")
    for generation in (about.filter(parent=None), about.filter(parent__isnull=False)):
        list(generation.values_list("id", flat=True))
