"""One thread per worker process that renews the leases of the jobs running there.

Its database connection opens only when a job outlives a third of its lease, so short jobs cost
nothing. A lease that cannot be renewed is lost: the run is told and stops at its next checkpoint.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from core.jobs.run import Run

log = structlog.get_logger(__name__)

RENEW = """
UPDATE core_job SET lease_until = clock_timestamp() + make_interval(secs => %(lease)s)
 WHERE id = %(id)s AND lease_token = %(token)s AND status = 'running' AND lease_until IS NOT NULL
RETURNING cancel_requested_at IS NOT NULL
"""


class LeaseRenewer:
    """The runs of this process and the thread that keeps them alive."""

    def __init__(self) -> None:
        self._runs: set[Run] = set()
        self._changed = threading.Condition()
        self._pid = 0

    @contextmanager
    def renewing(self, run: Run) -> Iterator[None]:
        """Renew the run's lease until the block ends."""
        with self._changed:
            self._runs.add(run)
            self._start_in_this_process()
            self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._runs.discard(run)

    def _start_in_this_process(self) -> None:
        if self._pid == os.getpid():
            return
        self._pid = os.getpid()  # a fork copies this object but not its thread
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()

    def _beat(self) -> None:
        period = settings.JOB_LEASE_SECONDS / 3
        while True:
            with self._changed:
                while not self._runs:
                    self._changed.wait()
                runs = list(self._runs)
            try:
                self._renew_all(runs, period)
                time.sleep(period / 2)
                self._close_when_idle()
            except Exception:
                # Whatever happened, a thread that ends lets every later job of this process lapse.
                log.exception("heartbeat.failed")
                time.sleep(period / 2)

    def _renew_all(self, runs: list[Run], period: float) -> None:
        for run in runs:
            if time.monotonic() - run.claimed_at >= period:
                self._renew(run)

    def _renew(self, run: Run) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    RENEW,
                    {"id": run.id, "token": run.token, "lease": settings.JOB_LEASE_SECONDS},
                )
                row = cursor.fetchone()
        except (DatabaseError, InterfaceError) as error:
            log.warning("heartbeat.missed", job_id=str(run.id), error=type(error).__name__)
            connection.close()
            return
        run.lost = run.lost or (row is None and not run.settled)
        run.cancelled = run.cancelled or bool(row and row[0])

    def _close_when_idle(self) -> None:
        with self._changed:
            idle = not self._runs
        if idle:
            connection.close()


heart = LeaseRenewer()
