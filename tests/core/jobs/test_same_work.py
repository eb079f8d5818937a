"""The same work is asked for by a hundred at once and done once; and what staff may do to many."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from core.db.clock import now
from core.jobs import dispatch, services
from core.jobs.models import Job, JobStatus
from core.jobs.services import Origin, cancel_job, enqueue, raise_priority, requeue_jobs
from tests import make
from tests.core.jobs import kinds
from tests.run_jobs import run_jobs

pytestmark = pytest.mark.django_db(transaction=True)

REQUESTS = 100


def asked_at_once(origin: Origin, dedup_key: str) -> list[uuid.UUID]:
    """The jobs that a hundred requests get, each with a connection of its own."""
    together = threading.Barrier(REQUESTS)

    def ask(_number: int) -> uuid.UUID:
        try:
            connection.ensure_connection()
            together.wait(30)
            with transaction.atomic():
                job = enqueue(
                    kind="tests.note", origin=origin, arguments={"word": "x"}, dedup_key=dedup_key
                )
            return job.id
        finally:
            connection.close()

    with ThreadPoolExecutor(REQUESTS) as pool:
        return list(pool.map(ask, range(REQUESTS)))


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
        make.job(organization=organization, status=JobStatus.DEAD, ended_at=now()) for _ in range(3)
    ]
    done = make.job(organization=organization, status=JobStatus.SUCCEEDED, ended_at=now())
    assert requeue_jobs(jobs=[*dead, done]) == (3, 1)
    assert Job.objects.filter(status=JobStatus.QUEUED, attempts=0, ended_at=None).count() == 3


def test_a_raised_priority_goes_first_with_its_pieces() -> None:
    organization = make.organization()
    make.job(organization=organization)
    late = make.job(organization=organization)
    piece = make.job(organization=organization, parent=late)
    assert raise_priority(job=late).priority == 1
    piece.refresh_from_db()
    assert piece.priority == 1
    values: dict[str, Any] = {"queue": "default", "cap": 5, "window": 2, "share": 2}
    with connection.cursor() as cursor:
        cursor.execute(dispatch.MARK_NEXT, values)
        assert {row[0] for row in cursor.fetchall()} == {late.id, piece.id}


def test_a_job_that_has_ended_has_no_priority_to_raise() -> None:
    job = make.job(organization=make.organization())
    cancel_job(job=job)
    with pytest.raises(services.JobHasEnded):
        raise_priority(job=job)
