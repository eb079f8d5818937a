"""Main processes of workers, which outlive the servers that they write to."""

from __future__ import annotations

import time

import redis
from celery import current_app
from django.conf import settings

from core.jobs import periodic
from core.jobs.models import Job
from tests.faults.servers import away_for
from tests.faults.site import Site
from tests.processes import wait_until

AWAY_SECONDS = 15.0


def test_worker_outlives_expired_message_while_database_is_away(site: Site) -> None:
    site.relay()
    site.worker()
    site.ask(steps=1, seconds=0.0)
    site.wait_for_the_end()
    site.servers.stop_postgresql()
    current_app.send_task(periodic.TICK, queue="default", expires=-60)
    wait_until(lambda: "result.not_written" in site.house.said(), "the result was not written")
    assert site.nobody_died()
    site.servers.start()
    site.ask(steps=1, seconds=0.0)
    site.check_all_done_once()
    assert site.nobody_died()


def test_worker_outlives_time_limit_while_database_is_away(site: Site) -> None:
    site.relay()
    site.worker()
    site.ask("faults.overlong")
    wait_until(site.running, "it has begun")
    site.servers.stop_postgresql()
    wait_until(lambda: "result.not_written" in site.house.said(), "the result was not written")
    assert site.nobody_died()
    site.servers.start()
    site.check_all_done_once()
    assert site.nobody_died()


def test_processes_started_without_servers_work_once_these_are_back(site: Site) -> None:
    site.ask_for_many(3)
    site.servers.stop_postgresql()
    site.servers.kill_redis()
    for name in ("web", "relay", "flower"):
        site.house.start(name)
    site.worker()
    wait_until(lambda: site.answers("/api/health/live") == 200, "the web process answers")
    away_for(AWAY_SECONDS, time.monotonic())
    assert site.nobody_died()
    site.servers.start()
    site.check_all_done_once()
    wait_until(lambda: site.answers("/api/health/ready") == 200, "the web process is ready")
    assert site.nobody_died()


def test_processes_outlive_broker_that_refuses_writes(site: Site) -> None:
    for name in ("web", "flower"):
        site.house.start(name)
    site.relay()
    site.worker()
    site.ask_for_many(10)
    site.wait_for_progress()
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        broker.execute_command("REPLICAOF", "127.0.0.1", "1")
        try:
            site.ask_for_many(5)
            wait_until(
                lambda: "read only" in site.house.log("worker").read_text(), "the worker noticed"
            )
            assert site.nobody_died()
        finally:
            broker.execute_command("REPLICAOF", "NO", "ONE")
    site.check_all_done_once()
    assert Job.objects.count() >= 15
    assert site.nobody_died()
