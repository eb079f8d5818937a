"""Storage that is full, read-only or damaged while recordings arrive: all of a file or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from core.files.models import StoredFile
from core.jobs.models import Job, JobStatus
from meetings.models import Recording, Transcript
from tests import make
from tests.disks import Disk, small_disk
from tests.meetings.recordings import JFK
from tests.meetings.work import send_bytes
from tests.run_jobs import run_jobs
from tests.storage import files_below, mark_storage

pytestmark = pytest.mark.django_db

BODY = JFK.read_bytes()


@pytest.fixture
def disk(storage: Path, tmp_path: Path, settings: Settings) -> Iterator[Disk]:
    """The storage as a small disk; uploads wait on another one."""
    settings.UPLOAD_FOLDER = str(tmp_path / "uploads")
    with small_disk(storage) as mounted:
        mark_storage(storage)
        yield mounted


def files_in(*folders: Path) -> list[Path]:
    found = (path for folder in folders for path in files_below(folder))
    return [path for path in found if path.name != "ballast"]


@pytest.mark.parametrize("missing_bytes", [len(BODY), 64 * 1024, 1])
def test_a_recording_that_storage_has_no_room_for_is_refused_and_leaves_nothing(
    disk: Disk, tmp_path: Path, missing_bytes: int
) -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    disk.fill(leaving_bytes=len(BODY) - missing_bytes)

    refused = send_bytes(make.client(actor), meeting, BODY)

    assert (refused.status_code, refused.json()["code"]) == (503, "storage.full")
    assert "Retry-After" in refused
    assert not any(model.objects.exists() for model in (StoredFile, Recording, Job))
    assert files_in(disk.folder, tmp_path / "uploads") == []

    disk.empty()
    assert send_bytes(make.client(actor), meeting, BODY).status_code == 202
    assert [path.read_bytes() for path in files_in(disk.folder)] == [BODY]


@pytest.mark.parametrize("uploads_wait_there_too", [True, False])
def test_a_storage_that_is_read_only_is_said_so_and_nothing_is_left(
    disk: Disk, tmp_path: Path, settings: Settings, uploads_wait_there_too: bool
) -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    if uploads_wait_there_too:
        settings.UPLOAD_FOLDER = ""
    disk.make_read_only()

    refused = send_bytes(make.client(actor), meeting, BODY)

    assert (refused.status_code, refused.json()["code"]) == (503, "storage.read_only")
    assert "Retry-After" in refused
    assert files_in(disk.folder, tmp_path / "uploads") == []
    disk.make_writable()


def test_the_same_recording_again_replaces_bytes_that_were_damaged(storage: Path) -> None:
    actor = make.actor()
    client, meeting = make.client(actor), make.meeting(organization=actor.organization)
    first = send_bytes(client, meeting, BODY).json()
    (stored,) = files_in(storage)
    stored.write_bytes(BODY[:-20_480])

    again = send_bytes(client, meeting, BODY)

    assert (again.status_code, again.json()["duplicate"]) == (200, True)
    assert again.json()["recording"]["id"] == first["recording"]["id"]
    assert [path.read_bytes() for path in files_in(storage)] == [BODY]


@pytest.mark.parametrize(
    ("damage", "reason", "attempts"),
    [("missing", "storage.file_missing", 0), ("cut", "storage.file_damaged", 1)],
)
def test_a_recording_whose_bytes_are_not_there_is_not_transcribed(
    storage: Path, damage: str, reason: str, attempts: int
) -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    send_bytes(make.client(actor), meeting, BODY)
    (stored,) = files_in(storage)
    stored.unlink() if damage == "missing" else stored.write_bytes(BODY[:-20_480])

    run_jobs()

    job = Job.objects.get()
    assert (job.status, job.error_code, job.attempts) == (JobStatus.QUEUED, reason, attempts)
    assert not Transcript.objects.exists()
