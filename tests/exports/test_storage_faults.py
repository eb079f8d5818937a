"""Exports on a disk that is full or read-only wait for it, with a reason, and lose no attempt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from core.db.clock import database_now
from core.files.models import StoredFile
from core.jobs import transitions
from core.jobs.models import Job, JobStatus
from tests import make
from tests.disks import Disk, small_disk
from tests.exports.test_exports_api import ADDRESS, ask
from tests.run_jobs import run_jobs
from tests.storage import files_below, use_storage

pytestmark = pytest.mark.django_db


@pytest.fixture
def disk(tmp_path: Path, settings: Settings) -> Iterator[Disk]:
    folder = tmp_path / "files"
    with small_disk(folder) as mounted:
        use_storage(settings, folder)
        yield mounted


def run_jobs_that_wait() -> Job:
    """Run what waits for a later moment too; return the job of the export."""
    Job.objects.filter(status=JobStatus.QUEUED).update(run_at=database_now())
    run_jobs()
    return Job.objects.get(kind="exports.render_export")


@pytest.mark.parametrize("drafts_lie_there_too", [True, False])
@pytest.mark.parametrize("fault", ["storage.full", "storage.read_only"])
def test_an_export_waits_for_storage_under_a_named_reason_and_is_then_made(
    disk: Disk, tmp_path: Path, settings: Settings, fault: str, drafts_lie_there_too: bool
) -> None:
    if not drafts_lie_there_too:
        settings.UPLOAD_FOLDER = str(tmp_path / "uploads")
    client = make.client(who := make.actor())
    export = ask(client, make.meeting(organization=who.organization), "json").json()["export"]
    disk.fill() if fault == "storage.full" else disk.make_read_only()

    for _ in range(4):
        job = run_jobs_that_wait()

    assert (job.status, job.error_code, job.attempts) == (JobStatus.QUEUED, fault, 0)
    assert job.run_at > database_now(plus_seconds=50)
    assert not StoredFile.objects.exists()
    disk.empty() if fault == "storage.full" else disk.make_writable()
    job = run_jobs_that_wait()
    assert (job.status, job.error_code, job.attempts) == (JobStatus.SUCCEEDED, "", 1)
    assert client.get(f"{ADDRESS}{export['id']}/").json()["status"] == "succeeded"
    stored = StoredFile.objects.get()
    assert [path.stat().st_size for path in files_below(tmp_path)] == [stored.size_bytes]


def test_an_export_that_waited_for_a_day_uses_up_its_attempts(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transitions, "LONGEST_WAIT_SECONDS", 0.0)
    client = make.client(who := make.actor())
    ask(client, make.meeting(organization=who.organization), "json")
    disk.fill()

    for _ in range(3):
        job = run_jobs_that_wait()

    assert (job.status, job.error_code, job.attempts) == (JobStatus.DEAD, "storage.full", 3)
