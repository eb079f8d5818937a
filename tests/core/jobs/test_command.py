"""`manage.py jobs` does what staff do on a page."""

from __future__ import annotations

import io
import uuid
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from core.accounts.models import Organization
from core.db.clock import database_now
from core.jobs.models import Job, JobStatus
from core.jobs.services import HOUSEKEEPING, enqueue
from tests import make
from tests.core.jobs import kinds  # noqa: F401 - registers the kinds
from tests.run_jobs import run_jobs

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization() -> Organization:
    return make.organization()


def said(*words: Any) -> str:
    out = io.StringIO()
    call_command("jobs", *map(str, words), stdout=out)
    return out.getvalue()


def listed(*words: Any) -> list[str]:
    return [line.split()[0] for line in said("list", *words).splitlines()]


def dead(organization: Organization, **fields: Any) -> Job:
    return make.job(
        organization=organization,
        status=JobStatus.DEAD,
        attempts=3,
        ended_at=database_now(),
        **fields,
    )


def test_list_shows_the_newest_first_and_is_narrowed(organization: Organization) -> None:
    old, new = make.job(organization=organization), dead(organization, kind="tests.note")
    make.job(organization=organization, parent=old)
    Job.objects.filter(id=old.id).update(created_at=database_now(plus_seconds=-3600))
    assert listed() == [str(new.id), str(old.id)]
    assert listed("--limit", 1) == [str(new.id)]
    assert listed("--status", "dead") == listed("--kind", "tests.note") == [str(new.id)]
    assert listed("--older-than", 30) == [str(old.id)]
    assert listed("--queue", "export") == listed("--organization", uuid.uuid4()) == []


def test_show_tells_every_attempt_with_its_error() -> None:
    job = enqueue(kind="tests.fail", origin=HOUSEKEEPING, arguments={"how": "surprise"})
    run_jobs()
    told = said("show", job.id)
    assert told.count("job.unexpected") == 4  # the job's line and three attempts
    assert told.count("Traceback (most recent call last)") == 1
    assert told.count("The traceback is that of attempt 1.") == 2
    assert "a secret detail" in told
    with pytest.raises(CommandError, match="no job"):
        said("show", uuid.uuid4())


def test_requeue_takes_ids_or_all_dead_ones_of_a_kind(organization: Organization) -> None:
    first, second = dead(organization), dead(organization, kind="tests.note")
    third = dead(organization, kind="tests.note")
    assert said("requeue", first.id) == "1 queued again, 0 refused\n"
    assert said("requeue", "--kind", "tests.note") == "2 queued again, 0 refused\n"
    found = set(Job.objects.values_list("id", "status", "attempts"))
    assert found == {(job.id, "queued", 0) for job in (first, second, third)}


def test_requeue_says_what_it_could_not_do(organization: Organization) -> None:
    for status in (JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.SUCCEEDED):
        with pytest.raises(CommandError, match="Only a failed, dead or cancelled job"):
            said("requeue", make.job(organization=organization, status=status).id)
    with pytest.raises(CommandError, match="no job"):
        said("requeue", uuid.uuid4())


def test_cancel_ends_what_waits_and_refuses_what_ended(organization: Organization) -> None:
    job = make.job(organization=organization)
    assert said("cancel", job.id) == "1 cancelled\n"
    with pytest.raises(CommandError, match="already ended"):
        said("cancel", job.id)
    make.job(organization=organization, kind="tests.note")
    assert said("cancel", "--kind", "tests.note") == "1 cancelled\n"
    with pytest.raises(CommandError, match="Name ids"):
        said("cancel")


def test_prune_says_how_many_went(organization: Organization) -> None:
    make.job(
        organization=organization,
        status=JobStatus.CANCELLED,
        ended_at=database_now(plus_seconds=-4e6),
    )
    assert said("prune") == "1 removed\n"
    assert said("prune", "--seconds", 5) == "0 removed\n"
