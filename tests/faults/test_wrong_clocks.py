"""Workers whose clocks are wrong: leases and due times are the database's affair."""

from __future__ import annotations

import shutil

import pytest

from core.jobs.models import AttemptOutcome, Job, JobAttempt
from tests.faults.site import LEASE_SECONDS, Site
from tests.processes import wait_until

LONGER_THAN_A_LEASE = LEASE_SECONDS + 1


def clock(shift: str) -> tuple[str, ...]:
    """A program whose clock is off by so much; its stopwatch runs as it should."""
    if shutil.which("faketime") is None:
        pytest.fail("the program faketime is missing: apt-get install faketime")
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
