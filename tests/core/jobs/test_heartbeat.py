"""Leases of long jobs are renewed beside the work."""

from __future__ import annotations

import time
import uuid

import pytest
from django.db import transaction
from pytest_django.fixtures import Settings

from core.db.clock import database_now
from core.jobs import transitions
from core.jobs.failures import Cancelled, LeaseLost
from core.jobs.heartbeat import LeaseRenewer
from core.jobs.models import Job
from core.jobs.run import Run
from core.jobs.services import HOUSEKEEPING, enqueue
from tests.core.jobs import kinds  # noqa: F401 - registers the kinds
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(settings: Settings) -> Run:
    """A claimed job whose lease lasts 0.6 s."""
    settings.JOB_LEASE_SECONDS = 0.6
    with transaction.atomic():
        job = enqueue(kind="tests.note", origin=HOUSEKEEPING, arguments={"word": "x"})
    claimed = transitions.claim(job.id, owner="test")
    assert claimed is not None
    return Run(claimed)


def change(job_id: uuid.UUID, **values: object) -> None:
    Job.objects.filter(id=job_id).update(**values)


def test_a_lease_is_renewed_for_as_long_as_the_work_lasts(run: Run) -> None:
    first = run.job.lease_until
    with LeaseRenewer().renewing(run):
        wait_until(lambda: renewed(run, first), "the lease was renewed twice")
    run.checkpoint()


def renewed(run: Run, first: object) -> bool:
    lease = Job.objects.get(id=run.id).lease_until
    assert lease is not None
    return lease > database_now() and lease != first and time.monotonic() - run.claimed_at > 1.2


def test_no_surprise_ends_the_thread_that_keeps_later_jobs_alive(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    heart, beats = LeaseRenewer(), []

    def surprise(runs: list[Run], _period: float) -> None:
        beats.append(len(runs))
        if len(beats) == 1:
            raise ZeroDivisionError

    monkeypatch.setattr(heart, "_renew_all", surprise)
    with heart.renewing(run):
        wait_until(lambda: len(beats) > 2, "it beats on")


def test_a_run_whose_job_another_took_is_told(run: Run) -> None:
    change(run.id, lease_token=run.token + 1)
    with LeaseRenewer().renewing(run):
        wait_until(lambda: run.lost, "the run knows that it is lost")
    with pytest.raises(LeaseLost):
        run.checkpoint()


def test_a_run_whose_job_is_cancelled_is_told(run: Run) -> None:
    change(run.id, cancel_requested_at=database_now())
    with LeaseRenewer().renewing(run):
        wait_until(lambda: run.cancelled, "the run knows that it is cancelled")
    with pytest.raises(Cancelled):
        run.checkpoint()
