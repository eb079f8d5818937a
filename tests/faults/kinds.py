"""The kinds of jobs that real workers do here: `celery worker --include tests.faults.kinds`."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from functools import partial
from typing import Any

from core.files import incoming
from core.files import services as files
from core.jobs.backoff import Fixed
from core.jobs.failures import JobFailure
from core.jobs.kinds import job
from core.jobs.run import Run
from tests.faults import ledger

QUEUE = "default"
PAUSE = Fixed(0.2)
TICK_SECONDS = 3.0


class Hopeless(JobFailure):
    """A failure that no retry will mend."""

    code = "faults.hopeless"
    message = "This can never work."


@job("faults.work", queue=QUEUE, attempts=5, backoff=PAUSE)
def work(run: Run, *, steps: int, seconds: float, **_: Any) -> None:
    """Paid steps one after the other, and an effect that commits with the job's success."""
    for number in range(steps):
        name = f"step-{number}"
        run.step(name, partial(ledger.pay, run, name, seconds))
        run.report((number + 1) / steps, name)
    with run.finishing():
        ledger.write_effect(run)


@job("faults.poison", queue=QUEUE, attempts=3, backoff=PAUSE)
def poison(run: Run, **_: Any) -> None:
    """The death of every process that tries."""
    ledger.pay(run, "poisoned", 0)
    os.kill(os.getpid(), signal.SIGKILL)


@job("faults.overlong", queue=QUEUE, attempts=2, backoff=PAUSE, time_limit_seconds=3)
def overlong(run: Run, **_: Any) -> None:
    """More than its time at the first attempt: Celery ends the process."""
    if run.job.attempts == 1:
        time.sleep(600)
    with run.finishing():
        ledger.write_effect(run)


@job("faults.freeze", queue=QUEUE, attempts=2, backoff=PAUSE)
def freeze(run: Run, **_: Any) -> None:
    """A process that stands still at the first attempt, with the job's row in its hands."""
    with run.finishing():
        if run.job.attempts == 1:
            os.kill(os.getpid(), signal.SIGSTOP)
        ledger.write_effect(run)


@job("faults.hopeless", queue=QUEUE)
def hopeless(run: Run, **_: Any) -> None:
    raise Hopeless


@job("faults.convert", queue=QUEUE)
def convert(run: Run, **_: Any) -> None:
    """A program of another's at work on a temporary file, as a converter would be."""
    with tempfile.NamedTemporaryFile(prefix="convert-") as file:
        program = subprocess.Popen(["sleep", "600"], stdout=file)
        try:
            while program.poll() is None:
                run.report(0.5, f"converting with {program.pid}")
                time.sleep(0.1)
        finally:
            program.kill()
            program.wait()


@job("faults.store", queue=QUEUE, attempts=1)
def store(run: Run, *, megabytes: int, **_: Any) -> None:
    """A file made by a job, kept along with its success."""
    assert run.job.organization_id is not None
    with incoming.receiving(limit=2**30, check_head=len) as receiver:
        for _number in range(megabytes):
            receiver.take(os.urandom(2**20))
        made = receiver.finish()
        owner = run.job.organization_id
        with (
            files.placing(made, organization_id=owner, media_type="application/pdf") as placed,
            run.finishing(),
        ):
            placed.keep()
            ledger.write_effect(run)


@job("faults.bulky", queue=QUEUE, attempts=2, backoff=PAUSE)
def bulky(run: Run, *, kilobytes: int, **_: Any) -> None:
    """A step whose output takes room in the database."""
    run.step("bulk", lambda: os.urandom(512 * kilobytes).hex())
    with run.finishing():
        ledger.write_effect(run)


@job("faults.tick", queue=QUEUE, every_seconds=TICK_SECONDS)
def tick(run: Run, **_: Any) -> None:
    """Work by the clock."""
    with run.finishing():
        ledger.write_effect(run)
