"""A renderer is killed half way: nothing of it stays, its job is done again, others go on."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from core.jobs.models import AttemptOutcome, Job, JobAttempt, JobStatus
from exports.models import Export
from tests import make
from tests.exports.test_exports_api import ask
from tests.processes import house, wait_until
from tests.storage import use_storage

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

# Some seconds of work for Typst.
SEGMENTS = 4_000


@pytest.fixture
def files(tmp_path: Path, settings: Settings) -> Path:
    return use_storage(settings, tmp_path / "files")


def job_of(answer: Any) -> Job:
    return Job.objects.get(id=answer.json()["job"]["id"])


def test_a_killed_renderer_leaves_nothing_and_its_job_is_done_again(
    files: Path, tmp_path: Path
) -> None:
    who = make.actor()
    client = make.client(who)
    long, short = (make.meeting(organization=who.organization) for _ in range(2))
    words = tuple(f"We talked about point {number}." for number in range(SEGMENTS))
    make.transcript(recording=make.recording(meeting=long, with_job=False), texts=words)
    drafts = files / "incoming"
    with house(tmp_path / "house", STORAGE_URL=str(files)) as started:
        started.start("relay")
        worker = started.start("worker", "-c", "2")
        killed = job_of(ask(client, long, "pdf"))
        wait_until(lambda: is_rendering(killed), "it renders")
        (left,) = drafts.glob("export-*")

        os.kill(owner_of(killed), signal.SIGKILL)
        other = job_of(ask(client, short, "md"))
        wait_until(lambda: has_ended(other) and has_ended(killed), started.said()[-2000:])

        assert worker.poll() is None
    assert not left.exists()
    assert list(drafts.glob("export-*")) == []
    outcomes = JobAttempt.objects.filter(job=killed).order_by("token")
    assert [each.outcome for each in outcomes] == [AttemptOutcome.LOST, AttemptOutcome.SUCCEEDED]
    assert Job.objects.get(id=other.id).attempts == 1
    check_whole(client)


def is_rendering(job: Job) -> bool:
    job.refresh_from_db()
    return job.status == JobStatus.RUNNING and job.step == "rendering pdf"


def has_ended(job: Job) -> bool:
    job.refresh_from_db()
    return bool(job.has_ended)


def owner_of(job: Job) -> int:
    """The process that holds the job."""
    return int(job.lease_owner.rpartition(":")[2])


def check_whole(client: APIClient) -> None:
    """Each export has its file, whole, and there is no other one."""
    stored = {export.stored_file for export in Export.objects.select_related("stored_file")}
    assert len(stored) == 2
    for file in stored:
        assert file is not None
        assert default_storage.size(file.key) == file.size_bytes
    pdf = client.get("/api/v1/exports/", {"format": "pdf"}).json()["results"][0]
    body = b"".join(APIClient().get(pdf["download_url"]).streaming_content)  # type: ignore[attr-defined]
    assert body.startswith(b"%PDF")
    assert b"%%EOF" in body[-32:]
