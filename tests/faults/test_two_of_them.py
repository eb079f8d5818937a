"""Two relays and two beats: nothing is told, sent or asked for twice."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from itertools import pairwise

from core.events.models import Event
from core.jobs.models import AttemptOutcome, Job, JobAttempt, JobStatus
from core.jobs.services import Origin
from core.notifications.models import Notification
from tests import make
from tests.faults import ledger
from tests.faults.kinds import TICK_SECONDS
from tests.faults.site import Process, Site
from tests.processes import wait_until

FAILURES = 20


def test_two_relays_do_everything_once(site: Site) -> None:
    relays = [site.relay(), site.relay()]
    actor = make.actor()
    origin = Origin(actor.organization.id, requested_by_id=actor.user.id)
    hopeless = [site.ask("faults.hopeless", origin=origin) for _ in range(FAILURES)]
    site.jobs.clear()
    site.ask_for_many(50, steps=1, seconds=0.05)
    doomed = site.worker()
    site.wait_for_progress(10)
    site.house.kill(doomed)
    site.worker()
    site.wait_for_the_end()
    untold = Event.objects.filter(fanned_out_at=None)
    wait_until(lambda: not untold.exists(), "every event is told")
    site.wait_for_the_end()

    ended = Job.objects.filter(id__in=[job.id for job in hopeless])
    assert set(ended.values_list("status", flat=True)) == {JobStatus.FAILED}
    assert Event.objects.filter(type="job.failed").count() == FAILURES
    assert Notification.objects.count() == FAILURES
    Job.objects.exclude(kind="faults.work").delete()
    site.check_all_done_once()
    lost = JobAttempt.objects.filter(outcome=AttemptOutcome.LOST)
    assert len(set(lost.values_list("job_id", flat=True))) == lost.count() <= 2
    assert [relay.poll() for relay in relays] == [None, None]


def ticks() -> list[Job]:
    return list(Job.objects.filter(kind="faults.tick", status=JobStatus.SUCCEEDED).order_by("id"))


def test_two_beats_ask_once_in_a_period_and_make_up_for_missed_ones_once(site: Site) -> None:
    site.relay()
    site.worker()
    beats = [_beat(site, "one"), _beat(site, "two")]
    wait_until(lambda: len(ticks()) >= 3, "three periods have begun")
    for beat in beats:
        site.house.kill(beat)
    site.wait_for_the_end()
    before = len(ticks())
    time.sleep(3 * TICK_SECONDS)
    assert len(ticks()) <= before + 1, "a tick may have been under way"

    _beat(site, "three")
    before = len(ticks())
    wait_until(lambda: len(ticks()) >= before + 2, "two more periods have begun")
    periods = [job.arguments["period"] for job in ticks()]
    assert len(set(periods)) == len(periods)
    assert all(ledger.effects()[job.id] == 1 for job in ticks())
    assert _missed(periods), "the periods without a beat were not made up for one by one"


def _beat(site: Site, name: str) -> Process:
    return site.house.start("beat", "-s", str(site.house.folder / f"schedule-{name}"))


def _missed(periods: list[str]) -> bool:
    moments = [datetime.fromisoformat(period) for period in periods]
    return any(
        later - earlier >= timedelta(seconds=2 * TICK_SECONDS)
        for earlier, later in pairwise(moments)
    )
