"""One organization's ten thousand jobs: what is sent, what is claimed, and what looking costs."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
import redis
from celery import current_app
from django.conf import settings
from django.db import connection, transaction
from pytest_django.fixtures import Settings

from core.jobs import dispatch, transitions
from core.jobs.models import Job, JobStatus
from core.jobs.queues import QUEUES
from core.jobs.services import Origin, enqueue
from tests import make
from tests.core.jobs import kinds  # noqa: F401 - registers the kinds

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 10_000
INSERT = """
INSERT INTO core_job (id, created_at, updated_at, kind, queue, status, priority, arguments,
    dedup_key, attempts, max_attempts, run_at, lease_owner, lease_token, dispatch_count, progress,
    step,
    error_code, error_message, request_id, organization_id)
SELECT gen_random_uuid(), now(), now(), 'tests.note', 'default', 'queued', 0, '{"word": "x"}',
    '', 0, 3, now(), '', 0, 0, 0, '', '', '', '', %s
  FROM generate_series(1, %s)
"""


@pytest.fixture
def broker() -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
        yield client
        client.flushdb()


def flood(organization_id: uuid.UUID, rows: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [organization_id, rows])


def analyse() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE core_job")


def take() -> uuid.UUID | None:
    """The job of the oldest message."""
    with current_app.connection_for_read() as broker:
        message = broker.default_channel.basic_get("default", no_ack=True)
    return uuid.UUID(message.payload[1]["job_id"]) if message else None


def owners(job_ids: list[uuid.UUID]) -> list[uuid.UUID | None]:
    of = dict(Job.objects.filter(id__in=job_ids).values_list("id", "organization_id"))
    return [of[job_id] for job_id in job_ids]


def sent() -> list[uuid.UUID]:
    return list(iter(take, None))


def test_ten_jobs_are_sent_in_turn_with_ten_thousand(broker: redis.Redis) -> None:
    big, small = make.organization().id, make.organization().id
    flood(big, MANY)
    flood(small, 10)
    assert dispatch.fill_windows() == 26
    order = owners(sent())
    assert [order.count(big), order.count(small)] == [16, 10]
    assert sorted(order[:20].count(owner) for owner in (big, small)) == [10, 10]
    assert set(order[20:]) == {big}
    assert dispatch.fill_windows() == 0


def next_claimed(worker: str) -> Job:
    """What a free process comes to do: it takes messages until it may claim one of the jobs."""
    for _ in range(100):
        job_id = take()
        if job_id is None:
            dispatch.fill_windows()
        elif (job := transitions.claim(job_id, owner=worker)) is not None:
            return job
    raise AssertionError("a free process found nothing to do in ten thousand jobs")


def finish(job: Job) -> None:
    with transaction.atomic():
        transitions.succeed(transitions.lock(job.id))


def waits(*, owner: uuid.UUID, jobs: int) -> list[int]:
    """How many other jobs' lengths each of the owner's waits, by two processes, all equally long.

    The processes are busy when the owner's jobs come.
    """
    running = [next_claimed("one"), next_claimed("two")]
    dispatch.fill_windows()
    with transaction.atomic():
        for _ in range(jobs):
            enqueue(kind="tests.note", origin=Origin(owner), arguments={"word": "x"})
    found: list[int] = []
    for turn in count():
        finish(running.pop(0))
        dispatch.fill_windows()
        running.append(next_claimed("again"))
        if running[-1].organization_id == owner:
            found.append(turn)
        if len(found) == jobs:
            return found
    raise AssertionError


@pytest.mark.slow
def test_ten_jobs_wait_at_most_three_times_as_long_as_alone(broker: redis.Redis) -> None:
    """The processes and the window are full of the other's jobs when they come."""
    big, small = make.organization().id, make.organization().id
    flood(big, MANY)
    dispatch.fill_windows()
    assert broker.llen("default") == 16
    found = waits(owner=small, jobs=10)
    alone = list(range(10))
    assert found[0] == 0, "the first one takes the first process that is free"
    assert sum(found) <= 3 * sum(alone)
    assert found == list(range(0, 20, 2)), "they take turns"


def test_an_organization_alone_takes_every_process(broker: redis.Redis) -> None:
    flood(make.organization().id, 100)
    cap = QUEUES["default"].running_per_organization
    for _ in range(cap + 5):
        next_claimed("worker")
    assert Job.objects.filter(status=JobStatus.RUNNING).count() == cap + 5


def test_who_runs_least_is_not_held_back_above_the_cap(broker: redis.Redis) -> None:
    first, second = make.organization().id, make.organization().id
    flood(first, 20)
    flood(second, 20)
    running = [next_claimed("worker") for _ in range(8)]
    held = [job.organization_id for job in running]
    assert [held.count(first), held.count(second)] == [4, 4]


def test_a_job_handed_back_is_sent_again_and_keeps_its_attempts(broker: redis.Redis) -> None:
    big, small = make.organization().id, make.organization().id
    flood(big, 3)
    dispatch.fill_windows()
    next_claimed("worker")
    flood(small, 1)
    dispatch.fill_windows()
    refused = take()
    assert refused is not None
    assert transitions.claim(refused, owner="worker") is None
    job = Job.objects.get(id=refused)
    assert (job.status, job.attempts, job.dispatched_at) == (JobStatus.QUEUED, 0, None)
    assert dispatch.fill_windows() == 0, "its organization runs its share while another waits"
    assert next_claimed("worker").organization_id == small
    assert dispatch.fill_windows() == 2


def test_a_higher_priority_is_not_held_back(broker: redis.Redis) -> None:
    big, small = make.organization().id, make.organization().id
    flood(big, 2)
    Job.objects.update(priority=5)
    dispatch.fill_windows()
    flood(small, 5)
    dispatch.fill_windows()
    assert [next_claimed("worker").organization_id for _ in range(3)] == [big, big, small]


def test_the_setting_lets_an_organization_run_more(broker: redis.Redis, settings: Settings) -> None:
    settings.JOB_RUNNING_PER_ORGANIZATION = {"default": 3}
    big, small = make.organization().id, make.organization().id
    flood(big, 16)
    dispatch.fill_windows()
    flood(small, 1)
    dispatch.fill_windows()
    assert [next_claimed("worker").organization_id for _ in range(4)] == [big, big, big, small]


def test_a_worker_that_empties_the_window_wakes_the_relay(broker: redis.Redis) -> None:
    flood(make.organization().id, 40)
    dispatch.fill_windows()
    with connection.cursor() as cursor:
        cursor.execute("LISTEN minutebook")
    woken = []
    for _ in range(9):
        next_claimed("worker")
        woken.append(bool(list(connection.connection.notifies(timeout=0))))
    assert woken == [False] * 8 + [True] or woken == [False] * 7 + [True, True]


def buffers(statement: str, values: dict[str, Any]) -> int:
    """Blocks the statement touches; what it writes is rolled back."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", values)
        answer = cursor.fetchone()[0]
        transaction.set_rollback(True)
    plan = (json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def test_looking_for_the_next_jobs_costs_the_same_in_a_long_queue(broker: redis.Redis) -> None:
    values: dict[str, Any] = {"queue": "default", "window": 64, "share": 16, "cap": 1}
    organizations = [make.organization().id for _ in range(3)]
    found = []
    for more in (1000, 10_000):
        for organization_id in organizations:
            flood(organization_id, more)
        analyse()
        found.append(buffers(dispatch.DISPATCH_NEXT, values))
    assert found[1] <= 1.25 * found[0], found


def test_claiming_costs_the_same_in_a_long_queue(broker: redis.Redis) -> None:
    organization_id = make.organization().id
    found = []
    for more in (300, 10_000):
        flood(organization_id, more)
        analyse()
        job_id = Job.objects.values_list("id", flat=True)[0]
        found.append(buffers(transitions.CLAIM, transitions._claim_values(job_id, "worker")))
    assert max(found) <= 1.5 * found[0], found
