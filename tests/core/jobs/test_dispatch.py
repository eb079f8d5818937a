"""Which jobs get a message: windows per queue and organization, and messages that were lost."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import redis
from celery import current_app
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from core.db.clock import database_now
from core.jobs import dispatch
from core.jobs.models import Job
from core.jobs.services import HOUSEKEEPING, Origin, enqueue
from tests import make
from tests.core.jobs import kinds  # noqa: F401 - registers the kinds

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def broker() -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
        yield client
        client.flushdb()


def ask(count: int, origin: Origin = HOUSEKEEPING) -> None:
    with transaction.atomic():
        for _ in range(count):
            enqueue(kind="tests.note", origin=origin, arguments={"word": "x"})


def test_a_commit_sends_a_message_that_carries_only_the_id(broker: redis.Redis) -> None:
    ask(1)
    assert broker.llen("default") == 1
    with current_app.connection_for_read() as connection:
        message = connection.default_channel.basic_get("default", no_ack=True)
    assert message.payload[1] == {"job_id": str(Job.objects.get().id)}


def test_a_rollback_sends_nothing(broker: redis.Redis) -> None:
    with transaction.atomic():
        enqueue(kind="tests.note", origin=HOUSEKEEPING, arguments={"word": "x"})
        transaction.set_rollback(True)
    assert (broker.llen("default"), Job.objects.count()) == (0, 0)


def test_only_a_window_of_messages_is_out_at_once(broker: redis.Redis, settings: Settings) -> None:
    settings.JOB_WINDOW, settings.JOB_WINDOW_PER_ORGANIZATION = 5, 5
    ask(9)
    assert broker.llen("default") == 5
    assert dispatch.fill_windows() == 0
    Job.objects.filter(dispatched_at__isnull=False).update(status="succeeded")
    assert dispatch.fill_windows() == 4


def test_one_organization_does_not_fill_the_window(broker: redis.Redis, settings: Settings) -> None:
    settings.JOB_WINDOW, settings.JOB_WINDOW_PER_ORGANIZATION = 6, 4
    big, small = Origin(make.organization().id), Origin(make.organization().id)
    ask(50, big)
    ask(3, small)
    dispatched = Job.objects.filter(dispatched_at__isnull=False)
    assert dispatched.filter(organization_id=big.organization_id).count() == 4
    assert dispatched.filter(organization_id=small.organization_id).count() == 2


def test_organizations_take_turns_within_a_priority(
    broker: redis.Redis, settings: Settings
) -> None:
    settings.JOB_WINDOW = 1  # so that committing sends just one, and the relay chooses the rest
    first, second = Origin(make.organization().id), Origin(make.organization().id)
    ask(5, first)
    ask(2, second)
    settings.JOB_WINDOW = 5
    assert dispatch.fill_windows() == 4
    dispatched = Job.objects.filter(dispatched_at__isnull=False)
    assert dispatched.filter(organization_id=second.organization_id).count() == 2


def test_a_higher_priority_goes_first(broker: redis.Redis, settings: Settings) -> None:
    settings.JOB_WINDOW = 1
    ask(3)
    Job.objects.filter(dispatched_at__isnull=False).update(status="succeeded")
    urgent = Job.objects.filter(status="queued").order_by("-id")[0]
    Job.objects.filter(id=urgent.id).update(priority=5)
    dispatch.fill_windows()
    assert Job.objects.get(status="queued", dispatched_at__isnull=False).id == urgent.id


def test_a_lost_message_is_sent_again(broker: redis.Redis) -> None:
    ask(3)
    broker.flushdb()
    assert dispatch.dispatch_again() == 0
    Job.objects.update(dispatched_at=database_now(plus_seconds=-dispatch.LOST_AFTER_SECONDS - 1))
    assert dispatch.dispatch_again() == 3
    assert broker.llen("default") == 3


def test_a_message_that_still_waits_is_left_alone(broker: redis.Redis) -> None:
    ask(2)
    Job.objects.update(dispatched_at=database_now(plus_seconds=-dispatch.LOST_AFTER_SECONDS - 1))
    assert dispatch.dispatch_again() == 0


def test_while_the_broker_is_away_jobs_are_left_to_the_relay(
    broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "_broker_away_until", time.monotonic() + 60)
    ask(2)
    with transaction.atomic():
        monkeypatch.setattr(dispatch, "_broker_away_until", 0.0)
        ask(2)
        monkeypatch.setattr(dispatch, "_broker_away_until", time.monotonic() + 60)
    assert (broker.llen("default"), Job.objects.filter(dispatched_at=None).count()) == (0, 4)
    monkeypatch.setattr(dispatch, "_broker_away_until", 0.0)
    assert dispatch.fill_windows() == 4


def test_asking_for_a_job_is_one_statement() -> None:
    with transaction.atomic(), CaptureQueriesContext(connection) as captured:
        enqueue(kind="tests.note", origin=HOUSEKEEPING, arguments={"word": "x"}, dedup_key="key")
    statements = [query["sql"] for query in captured if "core_job" in query["sql"]]
    assert len(statements) == 1


def test_a_job_for_later_has_no_message_yet(broker: redis.Redis) -> None:
    with transaction.atomic():
        later = database_now(plus_seconds=60)
        job = enqueue(kind="tests.note", origin=HOUSEKEEPING, arguments={"word": "x"}, run_at=later)
    assert (job.run_at, job.dispatched_at, broker.llen("default")) == (later, None, 0)
