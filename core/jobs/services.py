"""Asking for background work, stopping it, and giving it another round."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from core import errors
from core.db.clock import database_now
from core.db.transactions import require_transaction
from core.jobs import transitions
from core.jobs.accept import JobRequest, accept
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
TWIN = "The same work is already queued by another job."
WENT_ON = "The job this is a piece of went on without it. Ask for that whole work again."


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
    """Write a job into the open transaction and nudge a worker once it commits.

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
    """Write a piece of `parent`'s work, with the outputs of steps that are already known."""
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


def insert_or_existing(asked: JobRequest) -> Job:
    """A new job, or the active one for the same work."""
    while True:
        job = accept(asked)
        if job is not None:
            return job
        twin = _twins(asked.organization_id, asked.kind, asked.dedup_key).first()
        going_on = _unless_stopping(twin) if twin is not None else None
        if going_on is not None:
            return going_on


def _unless_stopping(twin: Job) -> Job | None:
    """The locked twin if it will be done; one that is being cancelled is cancelled now.

    A worker that is still at it has lost its lease by that, and writes nothing more.
    """
    try:
        held = transitions.lock(twin.id)
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
    """Give a failed, dead or cancelled job another round; pieces that succeeded stay done.

    A piece whose whole has ended goes round with it: alone it would be done for nobody. Raises
    JobNotEnded for any other status, and for a piece of a whole that went on without it.
    """
    try:
        with transaction.atomic():
            return _requeue(job)
    except IntegrityError as error:  # asked for again by somebody else at this very moment
        raise JobNotEnded(TWIN) from error


def _requeue(job: Job) -> Job:
    held = _lock(job)
    # A running job becomes queued again for its next attempt only, never because someone asks.
    if not held.has_ended or not held.may_become(JobStatus.QUEUED):
        raise JobNotEnded
    whole = held.parent
    if whole is not None and whole.has_ended:
        _requeue_whole(whole)
    elif whole is not None and not whole.is_waiting:
        raise JobNotEnded(WENT_ON)
    else:
        _requeue_whole(held)
    held.refresh_from_db()
    return held


def _requeue_whole(job: Job) -> None:
    """Under its lock: the job, or if it has unfinished pieces those, with the job waiting."""
    if not job.may_become(JobStatus.QUEUED):
        raise JobNotEnded(WENT_ON)
    _check_no_twin(job)
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
    """Let a job, with the pieces it has, go before those of its queue that have not been sent.

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


def _twins(organization_id: uuid.UUID | None, kind: str, dedup_key: str) -> JobQuerySet:
    """Active jobs for the same work."""
    same = {"organization_id": organization_id, "kind": kind, "dedup_key": dedup_key}
    return Job.objects.active().filter(**same)


def _check_no_twin(job: Job) -> None:
    if job.dedup_key and _twins(job.organization_id, job.kind, job.dedup_key).exists():
        raise JobNotEnded(TWIN)


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
