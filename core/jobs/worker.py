"""What a worker does with a message: claim the job, run its function, record how it ended."""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from celery.signals import celeryd_after_setup, task_prerun
from django.db import InterfaceError, OperationalError, connection

from core.files.marker import wait_for_storage
from core.jobs import transitions
from core.jobs.failures import Cancelled, LeaseLost, Reason, Requeued, reason_for
from core.jobs.heartbeat import heart
from core.jobs.models import Job
from core.jobs.policies import Policy, policy_of
from core.jobs.run import Run
from core.monitoring.requests import bound_to_request

log = structlog.get_logger(__name__)


def perform(job_id: str) -> None:
    """Do the job, if it can be claimed; a duplicate, early or outdated message ends here."""
    job = _claim(uuid.UUID(job_id))
    if job is None:
        return
    run = Run(job)
    with (
        bound_to_request(job.request_id, job_id=str(job.id), kind=job.kind),
        heart.renewing(run),
    ):
        _attempt(policy_of(job.kind), run)


def _claim(job_id: uuid.UUID) -> Job | None:
    """Once more on a new connection if the old one broke, perhaps while nobody used it.

    Nobody else would notice: Django looks after connections between requests, not between jobs.
    """
    owner = f"{socket.gethostname()}:{os.getpid()}"
    try:
        return transitions.claim(job_id, owner=owner)
    except (OperationalError, InterfaceError):
        log.warning("job.claim_repeated", job_id=str(job_id))
        connection.close()
        return transitions.claim(job_id, owner=owner)


@celeryd_after_setup.connect(weak=False)
def _wait_for_storage(**_kwargs: Any) -> None:
    """Before the pool starts and the first message is taken; SIGTERM ends the process meanwhile."""
    wait_for_storage(threading.Event())


@task_prerun.connect(weak=False)
def _mend_connection(**_kwargs: Any) -> None:
    """For tasks that claim nothing, as the clock's: leave a connection that failed the last one."""
    if connection.errors_occurred:
        connection.close_if_unusable_or_obsolete()


def _attempt(policy: Policy, run: Run) -> None:
    try:
        policy.perform(run, **run.job.arguments)
        run.finish()
    except LeaseLost:
        log.warning("job.lease_lost")
    except Cancelled:
        _settle(run, transitions.cancel)
    except Requeued:
        _settle(run, transitions.release)
    except Exception as error:  # noqa: BLE001 - every way a job can fail ends in its row
        _record_failure(run, reason_for(error))


def _record_failure(run: Run, reason: Reason) -> None:
    log.warning("job.attempt_failed", code=reason.code, detail=reason.detail)
    _settle(run, lambda job: transitions.fail(job, reason))


def _settle(run: Run, move: Callable[[Job], None]) -> None:
    """Write the outcome; if the database is away, the lease lapses and the relay writes it."""
    try:
        with run.writing() as job:
            move(job)
        run.settled = True
    except LeaseLost:
        log.warning("job.lease_lost")
    except (OperationalError, InterfaceError):
        log.exception("job.outcome_not_written")
        connection.close()
