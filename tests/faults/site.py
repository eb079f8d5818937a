"""An installation under fire: its processes, the jobs it was given, and what became of them."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psutil
from django.db import transaction

from config.processes import SPEECH
from core.jobs.models import AttemptOutcome, Job, JobAttempt, JobStatus
from core.jobs.queues import QUEUES
from core.jobs.services import HOUSEKEEPING, Origin, enqueue
from tests.faults import kinds, ledger  # noqa: F401 - registers the kinds
from tests.faults.servers import Servers
from tests.processes import House, wait_until

# Short, yet a process that gets no processor for three seconds keeps what it holds.
LEASE_SECONDS = 5.0
PERIOD_SECONDS = 0.2
# A machine with two cores, on which a Python process takes seconds to start, may be late by this.
SLACK_SECONDS = 10.0
PATIENCE_SECONDS = 120.0

SERVED = ",".join(queue for queue in QUEUES if queue != SPEECH)

Process = subprocess.Popen[bytes]


@dataclass
class Site:
    """Real processes on servers that the test may stop."""

    house: House
    servers: Servers
    jobs: list[Job] = field(default_factory=list)

    # --- Processes ----------------------------------------------------------------------------

    def relay(self) -> Process:
        return self.house.start("relay")

    def worker(self, processes: int = 2, *, under: tuple[str, ...] = ()) -> Process:
        """A worker that knows the kinds of these tests."""
        modules = ["tests.faults.kinds"]
        if "faketime" in under:
            modules.append("tests.faults.false_clock")
        options = ("-Q", SERVED, "-c", str(processes), "--include", ",".join(modules))
        return self.house.start("worker", *options, under=under)

    def processes(self) -> list[psutil.Process]:
        """All that live here, also those whose parent has died: they carry the folder's name."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def pool_of(self, worker: Process) -> list[psutil.Process]:
        """The processes of a worker that do its jobs."""
        with suppress(psutil.NoSuchProcess):
            return list(psutil.Process(worker.pid).children(recursive=True))
        return []

    def signal_all(self, worker: Process, number: signal.Signals) -> None:
        """To the worker and the processes of its pool, at once."""
        os.killpg(worker.pid, number)

    def nobody_died(self) -> bool:
        return all(process.poll() is None for process in self.house.started)

    def answers(self, path: str) -> int | None:
        """The status of an answer of the web process, or None when there is none."""
        connection = http.client.HTTPConnection("127.0.0.1", self.house.port, timeout=20)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def _is_ours(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error):
            place = process.environ().get(ledger.FOLDER)
            is_alive = process.status() != psutil.STATUS_ZOMBIE
            return is_alive and place == str(ledger.folder()) and process.pid != os.getpid()
        return False

    # --- Work ---------------------------------------------------------------------------------

    def ask(
        self, kind: str = "faults.work", *, origin: Origin = HOUSEKEEPING, **arguments: Any
    ) -> Job:
        """One job, accepted: its transaction has committed."""
        with transaction.atomic():
            job = enqueue(kind=kind, origin=origin, arguments=arguments)
        self.jobs.append(job)
        return job

    def ask_for_many(self, count: int, *, steps: int = 3, seconds: float = 0.1) -> None:
        for _ in range(count):
            self.ask(steps=steps, seconds=seconds)

    def running(self, owners: Iterable[int] | None = None) -> list[Job]:
        """Jobs that somebody holds, or one of these processes."""
        held = Job.objects.filter(lease_until__isnull=False, status=JobStatus.RUNNING)
        numbers = None if owners is None else set(owners)
        return [job for job in held if numbers is None or owner_of(job) in numbers]

    def wait_for_progress(self, done: int = 1) -> None:
        """Until so many jobs are done and another is in the middle of its steps."""
        succeeded = Job.objects.filter(status=JobStatus.SUCCEEDED)
        halfway = Job.objects.filter(status=JobStatus.RUNNING, progress__gt=0)
        wait_until(lambda: succeeded.count() >= done and halfway.exists(), f"{done} jobs are done")

    def wait_for_the_end(self) -> None:
        """Until no job is waiting or running."""
        wait_until(
            lambda: not Job.objects.active().exists(),
            f"every job has ended: {self.house.folder}",
            patience=PATIENCE_SECONDS,
            every=0.2,
        )

    # --- Promises -----------------------------------------------------------------------------

    def check_all_done_once(self) -> None:
        """No accepted job lost, none done twice with effect, no kept step computed again.

        What followed from them, as the analysis of a transcript, is another matter.
        """
        self.wait_for_the_end()
        ids = {job.id for job in self.jobs}
        asked = Job.objects.filter(id__in=ids)
        found = dict(asked.values_list("id", "status"))
        assert found == dict.fromkeys(ids, JobStatus.SUCCEEDED)
        assert ledger.effects() == dict.fromkeys(ids, 1)
        assert ledger.paid_again() == []
        running = JobAttempt.objects.filter(job__in=asked, outcome=AttemptOutcome.RUNNING)
        assert not running.exists()

    def check_recovered_since(self, moment: datetime) -> None:
        """What was lost at `moment` went back to its queue within a lease and a relay's period."""
        lost = JobAttempt.objects.filter(outcome=AttemptOutcome.LOST)
        limit = timedelta(seconds=LEASE_SECONDS + PERIOD_SECONDS + SLACK_SECONDS)
        assert not lost.filter(ended_at__gt=moment + limit).exists()

    def close(self) -> None:
        """End all processes; afterwards nothing of this installation may live or lie about."""
        self.house.end()
        # A zombie is dead; who adopted it has not looked yet.
        orphans = [one for one in self.processes() if one.status() != psutil.STATUS_ZOMBIE]
        for orphan in orphans:
            orphan.kill()
        assert orphans == [], orphans
        assert passing_files() == []


def passing_files() -> list[str]:
    """Temporary files; hidden ones are onnxruntime's, which keeps one for as long as it runs."""
    files = (path for path in (ledger.folder() / "passing").rglob("[!.]*") if path.is_file())
    return sorted(path.name for path in files)


def owner_of(job: Job) -> int:
    """The process id in the name of the worker that holds the job."""
    return int(job.lease_owner.rpartition(":")[2])


def outcomes_of(job: Job) -> list[str]:
    """How each attempt ended, the first one first."""
    return list(job.attempt_log.order_by("token").values_list("outcome", flat=True))
