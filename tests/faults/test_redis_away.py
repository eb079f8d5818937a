"""Redis that forgets everything, and Redis that is not there."""

from __future__ import annotations

import time

from config.demo import Client
from core.jobs.models import Job, JobStatus
from tests import make
from tests.faults.servers import away_for
from tests.faults.site import Site
from tests.meetings.recordings import JFK
from tests.processes import wait_until

AWAY_SECONDS = 30.0
RESTARTS = 3


def test_a_hundred_queued_jobs_survive_a_redis_that_forgets(site: Site) -> None:
    site.relay()
    site.ask_for_many(100, steps=1, seconds=0.01)
    wait_until(
        lambda: Job.objects.filter(dispatched_at__isnull=False).exists(), "messages are sent"
    )
    site.servers.empty_redis()
    site.worker()
    site.wait_for_progress(5)
    site.servers.empty_redis()
    site.check_all_done_once()
    assert set(Job.objects.values_list("attempts", flat=True)) == {1}


def test_uploads_are_accepted_while_redis_is_away_and_transcribed_after(site: Site) -> None:
    client = Client(site.house.port, make.api_key())
    for name in ("web", "relay", "speech"):
        site.house.start(name)
    site.worker()
    wait_until(lambda: site.answers("/api/health/live") == 200, "the web process answers")
    site.ask(steps=1, seconds=0.0)
    site.wait_for_the_end()

    site.servers.kill_redis()
    away = time.monotonic()
    accepted = client.upload(client.create_meeting("Without Redis"), JFK)
    assert accepted["job"]["status"] == "queued"
    site.ask_for_many(10)
    away_for(AWAY_SECONDS, away)
    assert site.answers("/api/health/live") == 200
    assert site.nobody_died()
    site.servers.start()
    site.wait_for_the_end()
    transcribed = Job.objects.get(id=accepted["job"]["id"])
    assert transcribed.status == JobStatus.SUCCEEDED
    site.check_all_done_once()
    assert site.nobody_died()


def test_jobs_outlive_a_redis_that_is_killed_and_comes_back_empty(site: Site) -> None:
    site.relay()
    site.worker()
    for done in range(RESTARTS):
        site.ask_for_many(12)
        site.wait_for_progress(done * 12 + 2)
        site.servers.kill_redis()
        site.servers.start()
    site.check_all_done_once()
    assert site.nobody_died()
