"""kill -9: of a pool process, of a whole worker, of its main process, and by the job itself."""

from __future__ import annotations

import os
import signal

from core.db.clock import database_now
from core.jobs.models import AttemptOutcome, Job, JobAttempt, JobStatus
from tests.faults import ledger
from tests.faults.site import Process, Site, outcomes_of, owner_of
from tests.processes import wait_until

KILLS = 4


def kill_somebody_at_work(site: Site, worker: Process, spared: set[int]) -> int:
    """kill -9 of a pool process in the middle of a job; its number. Leases of the dead linger."""

    def at_work() -> list[Job]:
        return site.running({process.pid for process in site.pool_of(worker)} - spared)

    wait_until(at_work, "a process of the pool is at work")
    number = owner_of(at_work()[0])
    os.kill(number, signal.SIGKILL)
    return number


def test_killed_pool_processes_lose_none_of_fifty_jobs(site: Site) -> None:
    site.relay()
    worker = site.worker()
    site.ask_for_many(50)
    killed: set[int] = set()
    for done in range(1, KILLS + 1):
        site.wait_for_progress(done * 4)
        killed.add(kill_somebody_at_work(site, worker, killed))
    moment = database_now()
    site.check_all_done_once()
    site.check_recovered_since(moment)
    assert len(killed) == KILLS
    assert JobAttempt.objects.filter(outcome=AttemptOutcome.LOST).count() in range(1, KILLS + 1)
    assert worker.poll() is None


def test_a_killed_worker_loses_none_of_fifty_jobs(site: Site) -> None:
    site.relay()
    worker = site.worker(4)
    site.ask_for_many(50)
    site.wait_for_progress(10)
    site.house.kill(worker)
    moment = database_now()
    held = len(site.running())
    site.worker(4)
    site.check_all_done_once()
    site.check_recovered_since(moment)
    assert held > 0
    assert JobAttempt.objects.filter(outcome=AttemptOutcome.LOST).count() == held


def test_the_pool_of_a_killed_worker_does_not_live_on_without_it(site: Site) -> None:
    site.relay()
    worker = site.worker()
    site.ask_for_many(6)
    site.wait_for_progress()
    pool = site.pool_of(worker)
    worker.kill()
    worker.wait()
    wait_until(lambda: not any(p.is_running() for p in pool), "its pool has ended")
    site.worker()
    site.check_all_done_once()


def test_a_job_that_kills_its_process_is_dead_after_exactly_its_attempts(site: Site) -> None:
    site.relay()
    worker = site.worker()
    poison = site.ask("faults.poison")
    wait_until(lambda: Job.objects.get(id=poison.id).has_ended, "the poison has ended")
    poison.refresh_from_db()
    assert (poison.status, poison.attempts) == (JobStatus.DEAD, 3)
    assert poison.error_code == "job.worker_lost"
    assert outcomes_of(poison) == ["lost"] * 3
    assert len(ledger.payments()) == 3

    site.jobs.clear()
    site.ask_for_many(6)
    site.check_all_done_once()
    assert worker.poll() is None
    assert len([line for line in ledger.payments() if line[0] == str(poison.id)]) == 3
