"""What is kept of jobs that ended, and what goes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from core.accounts.models import Organization
from core.jobs import retention
from core.jobs.models import Job, JobAttempt, JobStatus, JobStep
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization() -> Organization:
    return make.organization()


def ended(organization: Organization, *, days: float, count: int = 1, **fields: Any) -> list[Job]:
    moment = timezone.now() - timedelta(days=days)
    common: dict[str, Any] = {"kind": "tests.old", "status": JobStatus.SUCCEEDED, **fields}
    return Job.objects.bulk_create(
        Job(
            organization=organization,
            queue="default",
            max_attempts=3,
            run_at=moment,
            ended_at=moment - timedelta(seconds=number),
            **common,
        )
        for number in range(count)
    )


def test_the_last_hundred_that_succeeded_stay_however_old(organization: Organization) -> None:
    ended(organization, days=400, count=130)
    assert retention.prune() == 30
    assert Job.objects.count() == 100
    assert retention.prune() == 0


def test_all_of_the_last_month_stay(organization: Organization) -> None:
    ended(organization, days=29, count=150)
    ended(organization, days=31, count=50)
    assert retention.prune() == 50
    assert Job.objects.count() == 150


def test_the_last_thousand_that_failed_stay(organization: Organization) -> None:
    ended(organization, days=31, count=1003, status=JobStatus.FAILED)
    assert retention.prune() == 3
    assert Job.objects.filter(status=JobStatus.FAILED).count() == 1000


def test_dead_ones_stay_half_a_year(organization: Organization) -> None:
    ended(organization, days=179, count=1001, status=JobStatus.DEAD)
    assert retention.prune() == 0
    ended(organization, days=181, count=2, status=JobStatus.DEAD)
    assert retention.prune() == 2


def test_each_kind_is_counted_by_itself(organization: Organization) -> None:
    ended(organization, days=40, count=101, kind="tests.a")
    ended(organization, days=40, count=101, kind="tests.b")
    ended(organization, days=40, count=99, kind="tests.c")
    assert retention.prune() == 2


def test_active_jobs_stay_and_cancelled_ones_go_by_age_alone(organization: Organization) -> None:
    make.job(organization=organization)
    ended(organization, days=29, status=JobStatus.CANCELLED)
    ended(organization, days=31, status=JobStatus.CANCELLED)
    assert retention.prune() == 1
    assert Job.objects.count() == 2


def test_a_job_goes_with_its_children_attempts_and_steps(organization: Organization) -> None:
    [whole] = ended(organization, days=31, status=JobStatus.CANCELLED)
    [child] = ended(organization, days=31, parent=whole)
    JobAttempt.objects.create(job=child, token=1, worker="w", started_at=timezone.now())
    JobStep.objects.create(job=child, name="text", output="words")
    recording = make.recording(meeting=make.meeting(organization=organization), with_job=False)
    recording.job = whole
    recording.save()
    assert retention.prune() == 1
    assert (Job.objects.count(), JobAttempt.objects.count(), JobStep.objects.count()) == (0, 0, 0)
    recording.refresh_from_db()
    assert recording.job is None


def test_the_days_are_settings(organization: Organization, settings: Settings) -> None:
    settings.JOB_HISTORY_DAYS = 3
    ended(organization, days=4, status=JobStatus.CANCELLED)
    assert retention.prune() == 1


def test_it_works_in_batches_and_stops_in_time(organization: Organization) -> None:
    ended(organization, days=31, count=2 * retention.BATCH + 1, status=JobStatus.CANCELLED)
    assert retention.prune(seconds=0) == 0
    with CaptureQueriesContext(connection) as captured:
        assert retention.prune() == 2 * retention.BATCH + 1
    deletions = [q for q in captured if q["sql"].startswith('DELETE FROM "core_job" ')]
    assert len(deletions) >= 3
