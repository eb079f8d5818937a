"""Stored bytes: one copy per organization, counted references, nothing left behind."""

from __future__ import annotations

import io
import os
import threading
import time
from pathlib import Path

import pytest
from django.db import connection, transaction
from pytest_django.fixtures import Settings

from core.accounts.models import Organization
from core.files import services as files
from core.files.incoming import Incoming, receive_stream, receiving, sweep_uploads, upload_folder
from core.files.models import StoredFile
from tests import make


@pytest.fixture(autouse=True)
def storage(settings: Settings, tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    default = {**settings.STORAGES["default"], "OPTIONS": {"location": str(folder)}}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    return folder


def contents(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


def keep(body: bytes, organization: Organization, *, fail: bool = False) -> StoredFile:
    """Take the bytes in and keep them, or break after their row was written."""
    with receiving(limit=10**6, check_head=len) as receiver:
        incoming = receive_stream(receiver, io.BytesIO(body), declared_bytes=len(body))
        return _keep(incoming, organization, fail=fail)


def _keep(incoming: Incoming, organization: Organization, *, fail: bool) -> StoredFile:
    with (
        files.placing(incoming, organization_id=organization.id, media_type="x/y") as placed,
        transaction.atomic(),
    ):
        stored = placed.keep()
        if fail:
            raise ZeroDivisionError
    return stored


@pytest.mark.django_db
def test_the_same_bytes_are_kept_once_and_counted(storage: Path) -> None:
    organization = make.organization()
    first, second = keep(b"abc", organization), keep(b"abc", organization)
    assert first.id == second.id
    assert StoredFile.objects.get().references == 2
    assert contents(storage) == [b"abc"]


@pytest.mark.django_db
def test_what_is_rolled_back_leaves_no_bytes(storage: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        keep(b"abc", make.organization(), fail=True)
    assert (contents(storage), StoredFile.objects.count()) == ([], 0)


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
