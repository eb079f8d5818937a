"""Kinds of jobs that only tests use, and what they did."""

from __future__ import annotations

import os
import signal
from functools import partial
from typing import Any

from billiard.exceptions import SoftTimeLimitExceeded

from core import errors
from core.jobs import services as jobs
from core.jobs.backoff import Fixed
from core.jobs.failures import JobFailure, RetryableFailure
from core.jobs.kinds import job
from core.jobs.models import JobStatus
from core.jobs.run import Run

done: list[Any] = []


class Hopeless(JobFailure):
    """A failure that no retry will mend."""

    code = "tests.hopeless"
    message = "This can never work."


class Passing(RetryableFailure):
    """A failure that may pass."""

    code = "tests.passing"
    message = "This may work later."


@job("tests.note", queue="default")
def note(run: Run, *, word: str, **_: Any) -> None:
    done.append(word)


@job("tests.fail", queue="default", attempts=3, backoff=Fixed(0))
def fail(run: Run, *, how: str, **_: Any) -> None:
    raise {
        "hopeless": Hopeless(),
        "passing": Passing(),
        "later": Passing(retry_after=3600),
        "refused": errors.Invalid("Not like this."),
        "busy": errors.TooBusy(),
        "surprise": ZeroDivisionError("a secret detail"),
        "slow": SoftTimeLimitExceeded(),
        "big": MemoryError(),
    }[how]


def tenfold(number: int) -> int:
    done.append(number)
    return number * 10


@job("tests.steps", queue="default", attempts=3, backoff=Fixed(0))
def steps(run: Run, *, fail_at: int, **_: Any) -> None:
    for number in range(3):
        run.step(f"step {number}", partial(tenfold, number))
        run.report((number + 1) / 3, f"step {number}")
        if number == fail_at and run.job.attempts == 1:
            raise Passing


@job("tests.family", queue="default", attempts=2, backoff=Fixed(0))
def family(run: Run, *, words: list[str], **_: Any) -> None:
    children = run.children()
    if children:
        done.append([child.status for child in children])
        if any(child.status != JobStatus.SUCCEEDED for child in children):
            raise Hopeless
        return
    with run.delegating("working") as parent:
        for word in words:
            kind = "tests.fail" if word == "hopeless" else "tests.note"
            jobs.enqueue_child(parent=parent, kind=kind, arguments={"word": word, "how": word})


@job("tests.lose_lease", queue="default")
def lose_lease(run: Run, **_: Any) -> None:
    type(run.job).objects.filter(id=run.id).update(lease_token=run.token + 1)
    run.keep_step("too late", "written")


@job("tests.poison", queue="default", attempts=3, backoff=Fixed(0))
def poison(run: Run, **_: Any) -> None:
    """The death of the process that does it."""
    os.kill(os.getpid(), signal.SIGKILL)
