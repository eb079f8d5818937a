"""Storage and database hold the same id; a process that sees another storage does no work there."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from core.db.rows import new_id
from core.files.errors import StorageAway
from core.files.marker import FOREIGN, MARKER, UNMARKED, WrongStorage, adopt_storage, check_storage
from core.files.models import StorageMarker, StoredFile
from core.jobs.models import Job, JobStatus
from core.jobs.services import HOUSEKEEPING, enqueue
from core.monitoring import health
from tests import make
from tests.meetings.recordings import JFK
from tests.meetings.work import send_bytes
from tests.run_jobs import run_jobs
from tests.storage import STORAGE_ID, files_below, use_storage

READY = "/api/health/ready"
WRONGS = {"unmarked": UNMARKED, "foreign": FOREIGN}


@pytest.fixture
def storage(settings: Settings, tmp_path: Path) -> Path:
    return use_storage(settings, tmp_path / "files")


@pytest.fixture(params=sorted(WRONGS))
def wrong(request: pytest.FixtureRequest, storage: Path) -> str:
    """The storage is no longer marked, or carries the id of another installation."""
    kind: str = request.param
    if kind == "unmarked":
        (storage / MARKER).unlink()
    else:
        (storage / MARKER).write_text(str(new_id()))
    return kind


@pytest.mark.django_db
def test_an_upload_to_the_wrong_storage_is_refused_and_writes_nothing(
    wrong: str, storage: Path
) -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)

    refused = send_bytes(make.client(actor), meeting, JFK.read_bytes())

    assert (refused.status_code, refused.json()["code"]) == (503, "storage.wrong")
    assert files_below(storage) == []
    assert not StoredFile.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["core.sweep_files", "core.verify_files", "core.delete_files"])
def test_jobs_on_the_wrong_storage_change_nothing_and_wait_without_an_attempt(
    wrong: str, storage: Path, kind: str
) -> None:
    lost = make.stored_file(organization=make.organization(), content=b"in the right storage")
    default_storage.delete(lost.key)
    other = default_storage.save(f"{new_id()}/{new_id()}", ContentFile(b"of the other database"))
    long_ago = time.time() - 3 * 24 * 3600
    os.utime(storage / other, (long_ago, long_ago))
    enqueue(kind=kind, origin=HOUSEKEEPING, arguments={"keys": [other]})

    run_jobs()

    job = Job.objects.get(kind=kind)
    assert (job.status, job.error_code, job.attempts) == (JobStatus.QUEUED, "storage.wrong", 0)
    assert default_storage.exists(other)
    lost.refresh_from_db()
    assert lost.problem == ""


@pytest.mark.django_db
def test_the_command_refuses_the_wrong_storage_until_it_adopts_it(wrong: str) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("verify_storage")
    assert str(refused.value) == WRONGS[wrong]

    call_command("verify_storage", adopt=True)

    check_storage()
    assert StorageMarker.objects.get().value != STORAGE_ID


@pytest.mark.django_db
def test_a_storage_that_another_database_adopts_is_refused_by_the_first(storage: Path) -> None:
    before = (storage / MARKER).read_text()
    adopt_storage()
    StorageMarker.objects.update(value=before)  # the row of the first database

    with pytest.raises(WrongStorage):
        check_storage()


@pytest.mark.django_db
@pytest.mark.parametrize("killed_after_the_write", [False, True])
def test_the_first_start_marks_the_storage(storage: Path, killed_after_the_write: bool) -> None:
    StorageMarker.objects.update(written_at=None)
    if not killed_after_the_write:
        (storage / MARKER).unlink()

    check_storage()

    assert (storage / MARKER).read_text() == str(STORAGE_ID)
    assert StorageMarker.objects.get().written_at is not None


@pytest.mark.django_db
def test_a_new_database_does_not_take_the_storage_of_another(storage: Path) -> None:
    StorageMarker.objects.all().delete()

    with pytest.raises(WrongStorage):
        check_storage()

    assert (storage / MARKER).read_text() == str(STORAGE_ID)
    assert StorageMarker.objects.get().written_at is None


@pytest.mark.django_db(transaction=True)
def test_of_several_first_starts_at_once_one_writes_the_marker(storage: Path) -> None:
    marker = StorageMarker.objects.get()
    (storage / MARKER).unlink()
    StorageMarker.objects.all().delete()

    def start(_: int) -> str:
        with closing(connection):
            check_storage()
        return (storage / MARKER).read_text()

    try:
        with ThreadPoolExecutor(4) as processes:
            seen = set(processes.map(start, range(4)))
        assert seen == {str(StorageMarker.objects.get().value)}
    finally:
        StorageMarker.objects.all().delete()
        marker.save(force_insert=True)


@pytest.mark.django_db
def test_a_storage_that_is_away_is_not_marked_anew(
    settings: Settings,
) -> None:
    StorageMarker.objects.update(written_at=None)
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "core.files.disk.DiskStorage", "OPTIONS": {"location": "/dev/null"}},
    }

    with pytest.raises(StorageAway):
        check_storage()

    assert StorageMarker.objects.get().written_at is None


@pytest.mark.django_db(transaction=True)
def test_readiness_says_that_the_storage_is_the_wrong_one(wrong: str) -> None:
    answer = Client().get(READY)

    found = answer.json()["checks"]["storage"]
    assert (answer.status_code, found["status"]) == (503, "unhealthy")
    assert found["problem"] == WrongStorage.message


@pytest.mark.django_db(transaction=True)
def test_readiness_is_degraded_by_a_damaged_file_and_only_then(storage: Path) -> None:
    assert health.examine()[1]["storage"].problem == ""
    stored = make.stored_file(organization=make.organization(), content=b"sound")
    stored.problem = "damaged"
    stored.save()

    answer = Client().get(READY)

    found = answer.json()["checks"]["storage"]
    assert (answer.status_code, found["status"]) == (200, "degraded")
    assert found["problem"] == "stored files are missing or damaged"
