"""Processes whose clocks are wrong: every time is the database's."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta
from typing import Any

import pytest

from config.demo import Client
from core.accounts.models import ApiKey
from core.db.clock import database_now
from core.events.models import Event
from core.jobs.models import AttemptOutcome, Job, JobAttempt, JobStatus, PeriodicRun
from tests import make
from tests.faults.site import LEASE_SECONDS, Site
from tests.processes import wait_until

JSON = "application/json"
LONGER_THAN_A_LEASE = LEASE_SECONDS + 1


def clock(shift: str) -> tuple[str, ...]:
    """A program whose clock is off by so much; its stopwatch runs as it should."""
    if shutil.which("faketime") is None:
        pytest.fail("the program faketime is missing and could not be installed")
    return ("faketime", "--exclude-monotonic", "-f", shift)


def test_workers_an_hour_ahead_and_ten_minutes_behind_take_nothing_from_each_other(
    site: Site,
) -> None:
    site.relay()
    ahead = site.worker(under=clock("+1h"))
    behind = site.worker(under=clock("-10m"))
    site.ask_for_many(6, steps=1, seconds=LONGER_THAN_A_LEASE)
    site.check_all_done_once()
    assert set(Job.objects.values_list("attempts", flat=True)) == {1}
    assert not JobAttempt.objects.exclude(outcome=AttemptOutcome.SUCCEEDED).exists()
    assert (ahead.poll(), behind.poll()) == (None, None)


def test_a_relay_whose_clock_is_wrong_recovers_nothing_that_is_held(site: Site) -> None:
    site.house.start("relay", under=clock("+1h"))
    worker = site.worker()
    site.ask_for_many(2, steps=1, seconds=LONGER_THAN_A_LEASE)
    site.check_all_done_once()
    assert not JobAttempt.objects.exclude(outcome=AttemptOutcome.SUCCEEDED).exists()

    job = site.ask(steps=2, seconds=1.0)
    wait_until(site.running, "it has begun")
    site.house.kill(worker)
    site.worker()
    site.check_all_done_once()
    assert job.attempt_log.filter(outcome=AttemptOutcome.LOST).count() == 1


@pytest.mark.parametrize("shift", ["+10m", "-10m"])
def test_web_process_with_wrong_clock_stores_and_compares_times_of_database(
    site: Site, shift: str
) -> None:
    site.house.start("web", under=clock(shift))
    wait_until(lambda: site.answers("/api/health/live") == 200, "the web process answers")
    actor = make.actor()
    client = Client(
        site.house.port, make.api_key(actor=actor, expires_at=database_now(plus_seconds=300))
    )
    path = f"/api/v1/meetings/{client.create_meeting('On time')}/"
    body, is_json = json.dumps({"title": "Still on time"}).encode(), {"Content-Type": JSON}
    status, shown = client.ask("PATCH", path, body, is_json)
    assert status == 200
    assert is_now(shown["created_at"])
    assert is_now(shown["updated_at"])
    times = list(Event.objects.values_list("occurred_at", flat=True))
    assert times
    assert all(map(is_now, times))

    over = make.api_key(actor=actor)
    ApiKey.objects.filter(prefix=over[3:11]).update(expires_at=database_now(plus_seconds=-300))
    assert Client(site.house.port, over).ask("GET", path)[0] == 401


def is_now(moment: Any) -> bool:
    read = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return abs(database_now() - read) < timedelta(minutes=1)


def test_work_by_the_clock_is_done_by_one_worker_an_hour_ahead_and_a_late_relay(
    site: Site,
) -> None:
    site.house.start("relay", under=clock("-10m"))
    site.worker(under=clock("+1h"))
    pruned = Job.objects.filter(kind="core.prune_jobs", status=JobStatus.SUCCEEDED)
    wait_until(lambda: pruned.count() == 1, "the first period's work is done")
    turn = PeriodicRun.objects.get(kind="core.prune_jobs")
    assert timedelta() <= database_now() - turn.period_at < timedelta(hours=1, minutes=1)
    PeriodicRun.objects.update(period_at=turn.period_at - timedelta(hours=1))
    wait_until(lambda: pruned.count() == 2, "the next period's work is done")
