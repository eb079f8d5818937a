"""Stored bytes: one copy per organization, counted references, nothing left behind."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import OperationalError, connection, transaction
from pytest_django.fixtures import Settings

from core.accounts.models import Organization
from core.db.clock import database_now
from core.db.rows import new_id
from core.files import services as files
from core.files.errors import FileDamaged, StorageAway
from core.files.incoming import (
    Incoming,
    receiving,
    sweep_uploads,
    upload_folder,
)
from core.files.models import PendingFile, StoredFile
from core.jobs.models import Job
from core.tasks import remove_abandoned_files
from tests import make
from tests.run_jobs import run_jobs
from tests.storage import files_below, use_storage


@pytest.fixture(autouse=True)
def storage(settings: Settings, tmp_path: Path) -> Path:
    return use_storage(settings, tmp_path / "files")


def contents(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in files_below(folder)]


def keep(body: bytes, organization: Organization, *, fail: bool = False) -> StoredFile:
    """Take the bytes in and keep them, or break after their row was written."""
    with receiving(limit=10**6, check_head=len) as receiver:
        receiver.take(body)
        incoming = receiver.finish()
        return _keep(incoming, organization, fail=fail)


def _keep(
    incoming: Incoming, organization: Organization, *, fail: bool = False, lose_answer: bool = False
) -> StoredFile:
    with files.placing(incoming, organization_id=organization.id, media_type="x/y") as placed:
        with transaction.atomic():
            stored = placed.keep()
            if fail:
                raise ZeroDivisionError
        if lose_answer:
            raise OperationalError
    return stored


@pytest.mark.django_db
def test_the_same_bytes_are_kept_once_and_counted(storage: Path) -> None:
    organization = make.organization()
    first, second = keep(b"abc", organization), keep(b"abc", organization)
    assert first.id == second.id
    assert StoredFile.objects.get().references == 2
    assert contents(storage) == [b"abc"]
    assert not PendingFile.objects.exists()


@pytest.mark.django_db
def test_what_is_rolled_back_leaves_no_bytes(storage: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        keep(b"abc", make.organization(), fail=True)
    assert (contents(storage), StoredFile.objects.count()) == ([], 0)


@pytest.mark.django_db
def test_a_commit_whose_answer_was_lost_keeps_its_bytes(storage: Path) -> None:
    organization = make.organization()
    with receiving(limit=10**6, check_head=len) as receiver:
        receiver.take(b"abc")
        incoming = receiver.finish()
        with pytest.raises(OperationalError):
            _keep(incoming, organization, lose_answer=True)
    assert contents(storage) == [b"abc"]


@pytest.mark.django_db
def test_lost_bytes_come_back_with_the_next_upload_of_the_same(storage: Path) -> None:
    organization = make.organization()
    stored = keep(b"abc", organization)
    default_storage.delete(stored.key)
    keep(b"abc", organization)
    assert default_storage.open(stored.key).read() == b"abc"
    assert contents(storage) == [b"abc"]


def pending(organization: Organization, key: str, *, seconds: float) -> PendingFile:
    return PendingFile.objects.create(
        organization=organization, key=key, settle_at=database_now(plus_seconds=seconds)
    )


@pytest.mark.django_db
def test_bytes_whose_row_never_came_are_removed_once_their_time_is_over(storage: Path) -> None:
    organization = make.organization()
    keys = [f"{organization.id}/{new_id()}" for _ in range(2)]
    for key, seconds in zip(keys, (-1, 60), strict=True):
        default_storage.save(key, ContentFile(b"no row"))
        pending(organization, key, seconds=seconds)

    remove_abandoned_files()
    run_jobs()

    assert [default_storage.exists(key) for key in keys] == [False, True]
    assert PendingFile.objects.get().key == keys[1]


@pytest.mark.django_db
def test_bytes_that_took_too_long_are_refused_and_leave_nothing(
    storage: Path, settings: Settings
) -> None:
    settings.PENDING_FILE_SECONDS = -60.0
    organization = make.organization()
    with receiving(limit=10**6, check_head=len) as receiver:
        receiver.take(b"abc")
        incoming = receiver.finish()
        with (
            suppress(StorageAway),
            files.placing(incoming, organization_id=organization.id, media_type="x/y") as placed,
            transaction.atomic(),
        ):
            remove_abandoned_files()
            placed.keep()
            pytest.fail("the bytes may be gone")
    assert contents(storage) == []
    assert not StoredFile.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_bytes_of_a_commit_that_is_under_way_are_not_removed(
    storage: Path, settings: Settings
) -> None:
    settings.PENDING_FILE_SECONDS = -60.0
    organization = make.organization()
    with receiving(limit=10**6, check_head=len) as receiver, ThreadPoolExecutor(1) as beside:
        receiver.take(b"abc")
        incoming = receiver.finish()
        with (
            files.placing(incoming, organization_id=organization.id, media_type="x/y") as placed,
            transaction.atomic(),
        ):
            placed.keep()
            for look in (remove_abandoned_files, placed.remove_unless_named):
                beside.submit(closing_connection, look).result()
    assert not Job.objects.exists()
    assert not PendingFile.objects.exists()
    assert contents(storage) == [b"abc"]


def closing_connection(work: Callable[[], None]) -> None:
    try:
        work()
    finally:
        connection.close()


@pytest.mark.django_db
@pytest.mark.parametrize("damage", [b"ab", b"abd", b"abcd"])
def test_damaged_bytes_are_replaced_by_the_next_upload_of_the_same(
    storage: Path, damage: bytes
) -> None:
    organization = make.organization()
    stored = keep(b"abc", organization)
    Path(default_storage.path(stored.key)).write_bytes(damage)
    keep(b"abc", organization)
    assert contents(storage) == [b"abc"]


@pytest.mark.django_db
@pytest.mark.parametrize("damage", [b"", b"abcd"])
def test_bytes_of_another_length_than_their_row_says_are_not_read(
    storage: Path, damage: bytes
) -> None:
    stored = keep(b"abc", make.organization())
    Path(default_storage.path(stored.key)).write_bytes(damage)
    with pytest.raises(FileDamaged):
        files.read_part(stored, 0, 1)
    with pytest.raises(FileDamaged), files.local_copy(stored):
        pass


@pytest.mark.django_db
@pytest.mark.parametrize("step", ["os.link", "os.fsync", "pathlib.Path.replace"])
def test_a_write_that_fails_at_any_step_leaves_nothing(
    storage: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    organization = make.organization()
    keep(b"before", organization)

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "the disk is failing")

    with receiving(limit=10**6, check_head=len) as receiver:
        receiver.take(b"abc")
        incoming = receiver.finish()
        monkeypatch.setattr(step, fail)
        if step == "os.link":
            monkeypatch.setattr("shutil.copyfile", fail)
        with pytest.raises(StorageAway):
            _keep(incoming, organization)
    assert contents(storage) == [b"before"]
    assert StoredFile.objects.count() == 1


@pytest.mark.django_db
def test_bytes_that_no_row_names_are_swept_after_a_day(storage: Path) -> None:
    organization = make.organization()
    named = keep(b"named", organization)
    orphans = [f"{organization.id}/{new_id()}" for _ in range(2)]
    for key in orphans:
        default_storage.save(key, ContentFile(b"orphan"))
    for key in (named.key, orphans[0]):
        yesterday = time.time() - 25 * 3600
        os.utime(default_storage.path(key), (yesterday, yesterday))
    files.sweep_unnamed()
    assert [default_storage.exists(key) for key in (named.key, *orphans)] == [True, False, True]


@pytest.mark.django_db
def test_a_storage_in_which_nothing_was_stored_yet_is_swept_without_an_error(
    storage: Path,
) -> None:
    assert contents(storage) == []
    files.sweep_unnamed()


@pytest.mark.django_db
def test_a_rollback_of_the_second_use_spares_the_first(storage: Path) -> None:
    organization = make.organization()
    keep(b"abc", organization)
    with pytest.raises(ZeroDivisionError):
        keep(b"abc", organization, fail=True)
    assert contents(storage) == [b"abc"]
    assert StoredFile.objects.get().references == 1


@pytest.mark.django_db
def test_only_the_last_release_gives_the_bytes_up(storage: Path) -> None:
    organization = make.organization()
    stored = keep(b"abc", organization)
    keep(b"abc", organization)
    assert files.release(stored) is None
    key = files.release(stored)
    assert key == stored.key
    files.delete_bytes(key)
    assert contents(storage) == []


@pytest.mark.django_db
def test_bytes_that_a_row_still_names_are_not_deleted(storage: Path) -> None:
    stored = keep(b"abc", make.organization())
    files.delete_bytes(stored.key)
    assert contents(storage) == [b"abc"]


@pytest.mark.django_db(transaction=True)
def test_the_same_bytes_sent_by_eight_at_once_are_kept_once(storage: Path) -> None:
    organization = make.organization()
    together = threading.Barrier(8)

    def send() -> None:
        together.wait()
        try:
            keep(b"abc" * 1000, organization)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert StoredFile.objects.get().references == 8
    assert contents(storage) == [b"abc" * 1000]


@pytest.mark.django_db
def test_uploads_of_a_killed_process_are_swept_after_a_day() -> None:
    old, young = (upload_folder() / f"upload-{name}" for name in ("old", "young"))
    for path in (old, young):
        path.touch()
    yesterday = time.time() - 25 * 3600
    os.utime(old, (yesterday, yesterday))
    sweep_uploads()
    assert (old.exists(), young.exists()) == (False, True)
