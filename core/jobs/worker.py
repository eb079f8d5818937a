"""What a worker does with a message: claim the job, run its function, record how it ended."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Callable

import structlog
from django.db import InterfaceError, OperationalError, connection

from core.jobs import transitions
from core.jobs.failures import Cancelled, LeaseLost, Reason, Released, reason_for
from core.jobs.heartbeat import heart
from core.jobs.models import Job
from core.jobs.policies import Policy, policy_of
from core.jobs.run import Run
from core.monitoring.requests import bound_to_request

log = structlog.get_logger(__name__)


def perform(job_id: str) -> None:
    """Do the job, if it can be claimed; a duplicate, early or outdated message ends here."""
    job = transitions.claim(uuid.UUID(job_id), owner=f"{socket.gethostname()}:{os.getpid()}")
    if job is None:
        return
    run = Run(job)
    with (
        bound_to_request(job.request_id, job_id=str(job.id), kind=job.kind),
        heart.beating_for(run),
    ):
        _attempt(policy_of(job.kind), run)


def _attempt(policy: Policy, run: Run) -> None:
    try:
        policy.perform(run, **run.job.arguments)
        run.finish()
    except LeaseLost:
        log.warning("job.lease_lost")
    except Cancelled:
        _settle(run, transitions.cancel)
    except Released:
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
