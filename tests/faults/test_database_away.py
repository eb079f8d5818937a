"""PostgreSQL that is stopped without a goodbye, for a moment and for longer."""

from __future__ import annotations

import time

import pytest

from core.db.clock import database_now
from tests import make
from tests.faults.servers import away_for
from tests.faults.site import Site
from tests.processes import wait_until

AWAY_SECONDS = 30.0


@pytest.fixture
def full_site(site: Site) -> Site:
    """A web process, a relay and a worker that all have their connections."""
    for name in ("web", "relay"):
        site.house.start(name)
    site.worker()
    wait_until(lambda: site.answers("/api/health/ready") == 200, "the web process is ready")
    site.ask(steps=1, seconds=0.0)
    site.wait_for_the_end()
    return site


def test_jobs_outlive_a_database_that_is_stopped_and_started_again(full_site: Site) -> None:
    full_site.ask_for_many(20, steps=4, seconds=0.3)
    full_site.wait_for_progress(4)
    full_site.servers.stop_postgresql()
    full_site.servers.start()
    moment = database_now()
    full_site.check_all_done_once()
    full_site.check_recovered_since(moment)
    assert full_site.nobody_died()
    wait_until(lambda: full_site.answers("/api/health/ready") == 200, "the web is ready again")


def test_half_a_minute_without_a_database_kills_no_process_and_loses_no_job(
    full_site: Site,
) -> None:
    client = make.client(make.actor())
    full_site.ask_for_many(20, steps=4, seconds=0.3)
    full_site.wait_for_progress(4)
    full_site.servers.stop_postgresql()
    away = time.monotonic()
    assert full_site.answers("/api/health/live") == 200
    assert full_site.answers("/api/health/ready") == 503
    away_for(AWAY_SECONDS, away)
    assert full_site.answers("/api/health/live") == 200
    assert full_site.answers("/api/health/ready") == 503
    assert full_site.nobody_died()

    full_site.servers.start()
    wait_until(lambda: full_site.answers("/api/health/ready") == 200, "the web is ready again")
    assert client.get("/api/v1/meetings/").status_code == 200
    full_site.check_all_done_once()
    assert full_site.nobody_died()
