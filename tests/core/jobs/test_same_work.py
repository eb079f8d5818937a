"""The same work is asked for by a hundred at once and done once; and what staff may do to many."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from core.db.clock import database_now
from core.jobs import dispatch, services, transitions
from core.jobs.failures import LeaseLost
from core.jobs.models import Job, JobStatus
from core.jobs.run import Run
from core.jobs.services import Origin, cancel_job, enqueue, raise_priority, requeue_jobs
from tests import make
from tests.core.jobs import kinds
from tests.core.jobs.together import at_once
from tests.run_jobs import run_jobs

pytestmark = pytest.mark.django_db(transaction=True)

REQUESTS = 100


def asked_at_once(origin: Origin, dedup_key: str) -> list[uuid.UUID]:
    """The jobs that a hundred requests get, each with a connection of its own."""

    def ask() -> uuid.UUID:
        with transaction.atomic():
            job = enqueue(
                kind="tests.note", origin=origin, arguments={"word": "x"}, dedup_key=dedup_key
            )
        return job.id

    return at_once([ask] * REQUESTS)


@pytest.mark.slow
def test_a_hundred_requests_at_once_get_the_same_job() -> None:
    kinds.done.clear()
    origin = Origin(make.organization().id)
    found = asked_at_once(origin, "meeting:mode")
    job = Job.objects.get()
    assert found == [job.id] * REQUESTS
    assert run_jobs() == 1
    assert kinds.done == ["x"]
    assert set(asked_at_once(origin, "meeting:mode")).isdisjoint({job.id})
    assert Job.objects.count() == 2


def test_the_same_key_in_another_organization_is_other_work() -> None:
    with transaction.atomic():
        jobs = [
            enqueue(
                kind="tests.note",
                origin=Origin(make.organization().id),
                arguments={"word": "x"},
                dedup_key="same",
            )
            for _ in range(2)
        ]
    assert jobs[0].id != jobs[1].id


def test_many_are_queued_again_and_those_refused_are_counted() -> None:
    organization = make.organization()
    dead = [
        make.job(organization=organization, status=JobStatus.DEAD, ended_at=database_now())
        for _ in range(3)
    ]
    done = make.job(organization=organization, status=JobStatus.SUCCEEDED, ended_at=database_now())
    assert requeue_jobs(jobs=[*dead, done]) == (3, 1)
    assert Job.objects.filter(status=JobStatus.QUEUED, attempts=0, ended_at=None).count() == 3


def test_a_raised_priority_goes_first_with_its_children() -> None:
    organization = make.organization()
    make.job(organization=organization)
    late = make.job(organization=organization)
    child = make.job(organization=organization, parent=late)
    assert raise_priority(job=late).priority == 1
    child.refresh_from_db()
    assert child.priority == 1
    values: dict[str, Any] = {"queue": "default", "cap": 5, "window": 2, "share": 2}
    with connection.cursor() as cursor:
        cursor.execute(dispatch.DISPATCH_NEXT, values)
        assert {row[0] for row in cursor.fetchall()} == {late.id, child.id}


def test_a_job_that_has_ended_has_no_priority_to_raise() -> None:
    job = make.job(organization=make.organization())
    cancel_job(job=job)
    with pytest.raises(services.JobHasEnded):
        raise_priority(job=job)


def running(origin: Origin, *, dedup_key: str) -> Run:
    """A worker at work on a job of its own."""
    with transaction.atomic():
        job = enqueue(
            kind="tests.note", origin=origin, arguments={"word": "old"}, dedup_key=dedup_key
        )
    claimed = transitions.claim(job.id, owner="a worker")
    assert claimed is not None
    return Run(claimed)


def ask_anew(origin: Origin, *, dedup_key: str) -> Job:
    return enqueue(kind="tests.note", origin=origin, arguments={"word": "new"}, dedup_key=dedup_key)


def test_who_asks_for_work_that_is_being_stopped_gets_work_that_will_be_done() -> None:
    kinds.done.clear()
    origin = Origin(make.organization().id)
    old = running(origin, dedup_key="same")
    with transaction.atomic():
        assert ask_anew(origin, dedup_key="same").id == old.id, "it will be done"
    cancel_job(job=old.job)
    with transaction.atomic():
        new = ask_anew(origin, dedup_key="same")
    assert new.id != old.id
    stopped = Job.objects.get(id=old.id)
    assert (stopped.status, stopped.lease_until) == (JobStatus.CANCELLED, None)
    assert [attempt.outcome for attempt in stopped.attempt_log.all()] == ["cancelled"]
    with pytest.raises(LeaseLost):
        old.finish()
    assert run_jobs() == 1
    assert kinds.done == ["new"]


def test_asking_anew_that_rolls_back_leaves_the_job_to_its_worker() -> None:
    origin = Origin(make.organization().id)
    old = running(origin, dedup_key="same")
    cancel_job(job=old.job)
    with transaction.atomic():
        ask_anew(origin, dedup_key="same")
        transaction.set_rollback(True)
    assert Job.objects.get().status == JobStatus.RUNNING


def test_a_job_cancelled_before_its_worker_stops_is_not_handed_back_to_the_queue() -> None:
    old = running(Origin(make.organization().id), dedup_key="same")
    cancel_job(job=old.job)
    with old.writing() as job:
        transitions.release(job)
    assert Job.objects.get().status == JobStatus.CANCELLED


@pytest.mark.parametrize("stop", [cancel_job, None], ids=["cancelled", "finished"])
def test_nobody_who_asks_at_that_very_moment_is_left_with_nothing(stop: Any) -> None:
    """Eight ask while another cancels the job, or its worker ends it."""
    origin = Origin(make.organization().id)
    for number in range(3):
        old = running(origin, dedup_key=f"{number}")
        given = at_once(
            [partial(ask_and_look, origin, f"{number}")] * 8
            + [partial(stop, job=old.job) if stop else old.finish]
        )
        active = set(Job.objects.active().filter(cancel_requested_at=None).values_list("id"))
        others = {job_id for job_id in given[:8] if job_id != old.id}
        assert len(others) <= 1, "those who came later share one"
        assert active == {(job_id,) for job_id in others}
        run_jobs()


def ask_and_look(origin: Origin, dedup_key: str) -> uuid.UUID:
    """The id of the job that was given, which cannot be cancelled before the commit."""
    with transaction.atomic():
        given = ask_anew(origin, dedup_key=dedup_key)
        connection.cursor().execute("SELECT pg_sleep(0.01)")
        assert Job.objects.active().filter(id=given.id, cancel_requested_at=None).exists()
    return given.id
