"""The relay outlives what happens to it, and one stuck row does not stop it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import redis
from django.conf import settings
from django.db import connection, transaction

from core.db.clock import database_now
from core.events import registry
from core.events import services as events
from core.events.models import Event
from core.events.registry import subscribe
from core.jobs import transitions
from core.jobs.events import JOB_FAILED
from core.jobs.models import Job, JobStatus
from core.jobs.services import HOUSEKEEPING, enqueue
from core.relay import loop
from tests import make
from tests.core.jobs import kinds  # noqa: F401 - registers the kinds
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def broker() -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture
def running() -> Iterator[threading.Thread]:
    stop = threading.Event()

    def work() -> None:
        try:
            loop.run(stop)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield thread
    stop.set()
    thread.join(timeout=15)


def ask() -> Job:
    with transaction.atomic():
        return enqueue(kind="tests.note", origin=HOUSEKEEPING, arguments={"word": "x"})


def end_connections_of_others() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )


def test_it_outlives_a_restart_of_the_database_in_its_sleep(
    running: threading.Thread, broker: redis.Redis
) -> None:
    job = ask()

    def is_sent() -> bool:  # beside the periodic jobs that a new relay asks for
        return any(str(job.id).encode() in message for message in broker.lrange("default", 0, -1))

    wait_until(is_sent, "the job was sent")
    end_connections_of_others()
    broker.flushdb()
    Job.objects.update(dispatched_at=None)
    wait_until(is_sent, "the job was sent once more")
    assert running.is_alive()


def test_a_job_whose_row_is_held_does_not_stop_the_others(broker: redis.Redis) -> None:
    stuck, lost = ask(), ask()
    for job in (stuck, lost):
        assert transitions.claim(job.id, owner="a worker that froze") is not None
    Job.objects.update(lease_until=database_now(plus_seconds=-1))
    held, let_go = threading.Event(), threading.Event()

    def freeze() -> None:
        with transaction.atomic():
            transitions.lock(stuck.id)
            held.set()
            let_go.wait(30)
        connection.close()

    frozen = threading.Thread(target=freeze)
    frozen.start()
    held.wait(10)
    assert loop.recover_lost() == 1
    let_go.set()
    frozen.join()
    assert loop.recover_lost() == 1
    assert set(Job.objects.values_list("status", flat=True)) == {JobStatus.QUEUED}


def test_many_commits_ask_for_one_look(broker: redis.Redis) -> None:
    loop._listen()
    for _ in range(50):
        with transaction.atomic():
            events.wake_relay()
    loop._sleep(5)
    assert list(connection.connection.notifies(timeout=0)) == []


def test_events_that_come_faster_than_they_are_told_do_not_keep_the_rest_waiting(
    broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each event publishes the next one, so telling them never ends by itself."""
    monkeypatch.setattr(loop, "TELLING_SECONDS", 0.05)
    organization = make.organization()

    @subscribe("job.failed")
    def go_on(event: Event) -> None:
        events.publish(JOB_FAILED, organization_id=organization.id, data=dict(JOB_FAILED.example))

    try:
        with transaction.atomic():
            go_on(Event())
        ask()
        told = loop.do_round()
        assert told.is_behind
        assert broker.llen("default") == 1
    finally:
        registry._subscribers["job.failed"].pop()
    monkeypatch.setattr(loop, "TELLING_SECONDS", 60)
    assert not loop.do_round().is_behind
