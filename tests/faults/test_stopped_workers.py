"""Workers that are frozen, told to stop, or restarted again and again."""

from __future__ import annotations

import os
import signal
import time

from core.jobs.models import AttemptOutcome, Job, JobAttempt, JobStatus
from core.jobs.services import cancel_job
from tests.faults import ledger
from tests.faults.site import Process, Site, outcomes_of, passing_files
from tests.processes import wait_until

GRACE_SECONDS = 60.0
RESTARTS = 4
RESTART_EVERY_SECONDS = 5.0


def test_a_worker_that_slept_past_its_lease_writes_nothing(site: Site) -> None:
    site.relay()
    frozen = site.worker()
    job = site.ask(steps=3, seconds=1.0)
    wait_until(lambda: site.running(p.pid for p in site.pool_of(frozen)), "it has begun")
    site.signal_all(frozen, signal.SIGSTOP)
    site.worker()
    site.wait_for_the_end()
    before = ledger.effects()
    kept = dict(job.steps.values_list("name", "output"))

    site.signal_all(frozen, signal.SIGCONT)
    wait_until(lambda: "job.lease_lost" in site.house.said(), "the late one was refused")
    assert before == ledger.effects() == {job.id: 1}
    assert dict(job.steps.values_list("name", "output")) == kept
    assert outcomes_of(job) == ["lost", "succeeded"]
    site.ask_for_many(4)
    site.wait_for_the_end()
    assert Job.objects.filter(status=JobStatus.SUCCEEDED).count() == 5


def test_a_worker_told_to_stop_hands_its_long_job_back_uncounted(site: Site) -> None:
    site.relay()
    worker = site.worker()
    job = site.ask(steps=40, seconds=0.2)
    wait_until(lambda: job.steps.count() >= 2, "two steps are kept")
    kept = dict(job.steps.values_list("name", "output"))
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=GRACE_SECONDS) == 0
    job.refresh_from_db()
    assert (job.status, job.attempts) == (JobStatus.QUEUED, 0)
    assert outcomes_of(job) == ["released"]

    site.worker()
    site.check_all_done_once()
    job.refresh_from_db()
    assert job.attempts == 1
    assert outcomes_of(job) == ["released", "succeeded"]
    assert kept.items() <= dict(job.steps.values_list("name", "output")).items()


def test_rolling_restarts_cost_none_of_fifty_jobs_an_attempt(site: Site) -> None:
    site.relay()
    workers = [site.worker(), site.worker()]
    site.ask_for_many(50, steps=4, seconds=0.4)
    site.wait_for_progress(2)
    for _ in range(RESTARTS):
        next_one = time.monotonic() + RESTART_EVERY_SECONDS
        workers.append(_replace(site, workers.pop(0)))
        time.sleep(max(0.0, next_one - time.monotonic()))
    site.check_all_done_once()
    assert set(Job.objects.values_list("attempts", flat=True)) == {1}
    outcomes = set(JobAttempt.objects.values_list("outcome", flat=True))
    assert outcomes == {AttemptOutcome.SUCCEEDED, AttemptOutcome.RELEASED}


def _replace(site: Site, worker: Process) -> Process:
    """Stop one, start another. One that is still starting ends at once: it has taken nothing."""
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=GRACE_SECONDS) in (0, -signal.SIGTERM)
    return site.worker()


def test_cancelling_ends_the_program_that_a_job_runs(site: Site) -> None:
    site.relay()
    worker = site.worker()
    job = site.ask("faults.convert")
    wait_until(lambda: "converting" in _step_of(job), "the program runs")
    program = int(_step_of(job).rpartition(" ")[2])
    assert program in {process.pid for process in site.pool_of(worker)}
    assert [name for name in passing_files() if name.startswith("convert-")]

    cancel_job(job=job)
    wait_until(lambda: Job.objects.get(id=job.id).has_ended, "the job has ended")
    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED
    assert outcomes_of(job) == ["cancelled"]
    wait_until(lambda: not _exists(program), "the program has ended")
    assert passing_files() == []


def _step_of(job: Job) -> str:
    return Job.objects.get(id=job.id).step


def _exists(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True
