"""Work by the clock is asked for once in a period, however many relays and beats tick."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path

import pytest
import redis
from celery import current_app
from django.conf import settings
from django.db import connection

from core.jobs import periodic
from core.jobs.models import Job, JobStatus, PeriodicRun
from core.jobs.policies import policies
from core.relay import chores
from tests.processes import house, wait_until
from tests.run_jobs import run_jobs

pytestmark = pytest.mark.django_db(transaction=True)

CLOCKED = {policy.kind for policy in policies() if policy.every_seconds}
PRUNING = "core.prune_jobs"


@pytest.fixture
def broker() -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
        yield client
        client.flushdb()


def tick() -> list[str]:
    return sorted(job.kind for job in periodic.tick())


def tick_and_close(_number: int) -> list[str]:
    try:
        return tick()
    finally:
        connection.close()


def turn_back(kind: str, **ago: float) -> None:
    turn = PeriodicRun.objects.get(kind=kind)
    turn.period_at -= timedelta(**ago)
    turn.save()


def test_first_tick_requests_every_job_and_the_next_none() -> None:
    assert tick() == sorted(CLOCKED)
    assert tick() == []
    run_jobs()
    assert set(Job.objects.values_list("status", flat=True)) == {JobStatus.SUCCEEDED}
    assert tick() == [], "what is done already is not done again in its period"


def test_relay_ticks_without_any_beat() -> None:
    chores.run_all()
    assert set(Job.objects.values_list("kind", flat=True)) == CLOCKED


def test_many_ticks_request_a_job_once() -> None:
    with ThreadPoolExecutor(8) as pool:
        asked = list(pool.map(tick_and_close, range(24)))
    assert sorted(chain.from_iterable(asked)) == sorted(CLOCKED)
    assert Job.objects.count() == len(CLOCKED)


def test_a_clock_that_was_away_catches_up_once() -> None:
    tick()
    run_jobs()
    turn_back(PRUNING, hours=17)
    assert tick() == [PRUNING]
    assert tick() == []
    period = PeriodicRun.objects.get(kind=PRUNING).period_at
    assert (period.minute, period.second) == (0, 0)
    assert datetime.now(UTC) - period < timedelta(hours=1, minutes=1)


def test_a_slow_job_is_not_joined_by_its_successor() -> None:
    tick()
    turn_back(PRUNING, hours=1)
    assert tick() == [PRUNING]
    assert Job.objects.filter(kind=PRUNING).count() == 1


def sent() -> list[str]:
    """The tasks of the messages that wait."""
    with current_app.connection_for_read() as messages:
        take = partial(messages.default_channel.basic_get, "default", no_ack=True)
        return [message.headers["task"] for message in iter(take, None)]


@pytest.mark.slow
def test_two_beats_send_ticks_that_run_once(broker: redis.Redis, tmp_path: Path) -> None:
    with house(tmp_path / "house", CLOCK_PERIOD_SECONDS="0.3") as started:
        for name in ("one", "two"):
            started.start("beat", "-s", str(tmp_path / name))
        wait_until(lambda: broker.llen("default") >= 4, "both beats have ticked")
    ticks = sent()
    assert set(ticks) == {periodic.TICK}
    for name in ticks:
        current_app.tasks[name].apply(throw=True)
    assert sorted(Job.objects.values_list("kind", flat=True)) == sorted(CLOCKED)
