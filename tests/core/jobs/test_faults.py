"""The most telling faults in a few seconds; `./mb faults` has all of them, with whole workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest
import redis
from celery.signals import task_prerun
from django.conf import settings
from django.db import OperationalError, connection, transaction
from pytest_django.fixtures import Settings

from core.db.clock import database_now
from core.jobs import dispatch, periodic, transitions, worker
from core.jobs.failures import LeaseLost
from core.jobs.models import Job, JobAttempt, JobStatus
from core.jobs.run import Run
from core.jobs.services import HOUSEKEEPING, enqueue
from core.relay import loop
from tests.core.jobs import kinds
from tests.core.jobs.together import at_once
from tests.processes import database_url, wait_until
from tests.run_jobs import run_jobs

pytestmark = pytest.mark.django_db(transaction=True)

MESSAGES = 20


@pytest.fixture(autouse=True)
def broker() -> Iterator[redis.Redis]:
    kinds.done.clear()
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
        yield client
        client.flushdb()


def ask(kind: str = "tests.note", **arguments: str) -> Job:
    with transaction.atomic():
        return enqueue(kind=kind, origin=HOUSEKEEPING, arguments=arguments)


def outcomes(job: Job) -> list[str]:
    found = JobAttempt.objects.filter(job=job).order_by("token")
    return list(found.values_list("outcome", flat=True))


def test_twenty_messages_at_once_are_one_effect() -> None:
    job = ask(word="once")
    at_once([partial(worker.perform, str(job.id))] * MESSAGES)
    job.refresh_from_db()
    assert kinds.done == ["once"]
    assert (job.status, job.attempts) == (JobStatus.SUCCEEDED, 1)
    assert outcomes(job) == ["succeeded"]


def test_a_death_between_commit_and_message_has_not_lost_the_job(broker: redis.Redis) -> None:
    with pytest.raises(SystemExit):
        ask_and_die()
    connection.close()
    job = Job.objects.get()
    assert (broker.llen("default"), job.status) == (0, JobStatus.QUEUED)
    long_ago = database_now(plus_seconds=-dispatch.LOST_AFTER_SECONDS - 1)
    Job.objects.filter(id=job.id).update(dispatched_at=long_ago)
    assert dispatch.dispatch_again() == 1
    assert broker.llen("default") == 1
    assert run_jobs() == 1
    assert kinds.done == ["kept"]


def ask_and_die() -> None:
    """What follows the commit is not done any more."""
    with transaction.atomic():
        transaction.on_commit(sys.exit)
        ask(word="kept")


def test_a_worker_whose_connection_broke_goes_on_with_a_new_one() -> None:
    first, second = ask(word="first"), ask(word="second")
    connection.connection.close()  # as after a restart of the database
    worker.perform(str(first.id))
    task_prerun.send(sender=None)
    worker.perform(str(second.id))
    assert kinds.done == ["first", "second"]


def test_a_task_that_claims_nothing_leaves_a_broken_connection_too() -> None:
    ask(word="x")
    connection.connection.close()
    with pytest.raises(OperationalError):
        periodic.tick()
    task_prerun.send(sender=None)
    assert periodic.tick()


def test_a_writer_that_comes_after_its_lease_changes_nothing(settings: Settings) -> None:
    settings.JOB_LEASE_SECONDS = 0.2
    job = ask(word="by the second")
    claimed = transitions.claim(job.id, owner="one that freezes")
    assert claimed is not None
    late = Run(claimed)
    wait_until(loop.recover_lost, "the lease has lapsed")
    Job.objects.filter(id=job.id).update(run_at=database_now())
    settings.JOB_LEASE_SECONDS = 30.0
    assert run_jobs() == 1
    for write in (late.finish, partial(late.report, 0.5), partial(late.keep_step, "late", 1)):
        with pytest.raises(LeaseLost):
            write()
    with pytest.raises(LeaseLost), late.finishing():
        kinds.done.append("by the first")
    job.refresh_from_db()
    assert kinds.done == ["by the second"]
    assert (job.status, job.steps.count()) == (JobStatus.SUCCEEDED, 0)
    assert outcomes(job) == ["lost", "succeeded"]


@pytest.mark.slow
def test_a_job_that_kills_its_process_is_dead_after_exactly_its_attempts(
    settings: Settings,
) -> None:
    settings.JOB_LEASE_SECONDS = 0.2
    job = ask("tests.poison")
    killed = 0
    with mortal() as die_of:
        while not Job.objects.get(id=job.id).has_ended:
            assert die_of(job) == -signal.SIGKILL
            killed += 1
            wait_until(loop.recover_lost, "the lease has lapsed")
    job.refresh_from_db()
    assert (job.status, job.error_code) == (JobStatus.DEAD, "job.worker_lost")
    assert killed == job.attempts == job.max_attempts == 3
    assert outcomes(job) == ["lost"] * 3


@contextmanager
def mortal() -> Iterator[Callable[[Job], int]]:
    """Does a job in a process of its own, and says how that ended."""
    here = {"DATABASE_URL": database_url(), "JOB_LEASE_SECONDS": "0.2", "PYTHONPATH": os.curdir}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.core.jobs.mortal"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=settings.ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"} | here,
    ) as process:
        assert process.stdin
        assert process.stdout
        into, out = process.stdin, process.stdout

        def die_of(job: Job) -> int:
            into.write(f"{job.id}\n")
            into.flush()
            return int(out.readline())

        yield die_of
        into.close()
