"""Processes that freeze with a row in their hands, and that die while they wait for one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
from django.conf import settings
from django.db import connection, transaction

from config import devstack
from config.demo import Client
from meetings.models import Meeting
from tests import make
from tests.faults.site import Site, outcomes_of
from tests.processes import wait_until

# A process of ours that takes a row and says so; what it does next is up to the test.
TAKE = """
import sys, time
import django
django.setup()
from django.db import connection, transaction
from meetings.models import Meeting

with transaction.atomic():
    Meeting.objects.select_for_update().get(id=sys.argv[1])
    print(connection.connection.info.backend_pid, flush=True)
    time.sleep(600)
"""


@contextmanager
def taking(site: Site, meeting_id: str) -> Iterator[subprocess.Popen[str]]:
    """A process that takes a meeting's row as soon as it can."""
    with subprocess.Popen(
        [sys.executable, "-c", TAKE, meeting_id],
        cwd=devstack.ROOT,
        env={**os.environ, **site.house.environment},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def waiting_for_rows() -> list[int]:
    """The sessions of the database that wait for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_locks WHERE NOT granted")
        return [pid for (pid,) in cursor.fetchall()]


def test_request_outwaits_frozen_process_that_holds_its_row(site: Site) -> None:
    site.house.start("web")
    wait_until(lambda: site.answers("/api/health/live") == 200, "the web process answers")
    client = Client(site.house.port, make.api_key())
    meeting = client.create_meeting("Held")
    with taking(site, meeting) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline()
        holder.send_signal(signal.SIGSTOP)
        frozen = time.monotonic()
        status, _ = client.ask("DELETE", f"/api/v1/meetings/{meeting}/")
        waited = time.monotonic() - frozen
    assert status == 204
    assert waited < settings.DATABASE_STATEMENT_TIMEOUT_SECONDS


def test_job_of_worker_frozen_while_it_writes_is_done_by_another(site: Site) -> None:
    site.relay()
    frozen = site.worker(1)
    job = site.ask("faults.freeze")
    wait_until(lambda: is_frozen(site, frozen), "it has stopped in its transaction")
    site.worker(1)
    site.check_all_done_once()
    assert outcomes_of(job) == ["lost", "succeeded"]


def is_frozen(site: Site, worker: subprocess.Popen[bytes]) -> bool:
    return any(one.status() == psutil.STATUS_STOPPED for one in site.pool_of(worker))


def test_process_killed_while_it_waits_for_row_leaves_the_queue(site: Site) -> None:
    meeting = make.meeting()
    with transaction.atomic():
        Meeting.objects.select_for_update().get(id=meeting.id)
        with taking(site, str(meeting.id)) as waiter:
            wait_until(waiting_for_rows, "it waits")
            waiter.kill()
            wait_until(lambda: not waiting_for_rows(), "it waits no longer", patience=15)
