"""Keeping bytes, sharing them between rows, and letting them go."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import DatabaseError, InterfaceError, models
from django.db.models import F
from django.utils import timezone

from core.db.rows import new_id
from core.db.transactions import insist_on_transaction
from core.files import fetched
from core.files.incoming import BLOCK_BYTES, Incoming
from core.files.models import StoredFile

UNNAMED_FOR = timedelta(days=1)


class Placed:
    """Bytes that lie in storage, waiting for the transaction that makes them a `StoredFile`."""

    def __init__(self, incoming: Incoming, organization_id: uuid.UUID, media_type: str) -> None:
        self._incoming = incoming
        self._row = StoredFile(
            id=new_id(),
            organization_id=organization_id,
            sha256=incoming.sha256,
            size_bytes=incoming.size_bytes,
            media_type=media_type,
        )
        self._row.key = f"{organization_id}/{self._row.id}"
        self._is_written = False

    def write(self) -> None:
        """Move or upload the bytes under their key, unless the organization has them already."""
        twin = self._twins().first()
        if twin is None:
            self._row.key = self._save(self._row.key)
            self._is_written = True
        elif not default_storage.exists(twin.key):  # a lost file comes back with its next upload
            self._save(twin.key)

    def keep(self) -> StoredFile:
        """The row of these bytes with one more reference, in the caller's open transaction."""
        insist_on_transaction("keep")
        twin = self._twins().select_for_update(no_key=True).first()
        if twin is None:
            if not self._is_written:  # the twin seen by `write` was deleted meanwhile; very rare
                self.write()
            StoredFile.objects.bulk_create([self._row], ignore_conflicts=True)
            twin = self._twins().select_for_update(no_key=True).get()
        if twin.id != self._row.id:
            twin.references += 1
            twin.save(update_fields=["references", "updated_at"])
        return twin

    def forget_unless_named(self) -> None:
        """Remove the written copy when no row came to need it, as the database tells.

        An exception does not tell: a COMMIT whose answer was lost has happened all the same. When
        the database cannot be asked the copy stays, for `sweep_unnamed` to find.
        """
        if self._is_written:
            with contextlib.suppress(DatabaseError, InterfaceError):
                delete_bytes(self._row.key)

    def _save(self, key: str) -> str:
        with self._incoming.path.open("rb") as source:
            return default_storage.save(key, LocalUpload(source, self._incoming.path))

    def _twins(self) -> models.QuerySet[StoredFile]:
        return StoredFile.objects.filter(
            organization_id=self._row.organization_id, sha256=self._row.sha256
        )


class LocalUpload(File):
    """A local file that a storage on disk may take by renaming it, as it does Django's own."""

    def __init__(self, source: IO[bytes], path: Path) -> None:
        super().__init__(source, name=path.name)
        self._path = path

    def temporary_file_path(self) -> str:
        return str(self._path)


@contextmanager
def placing(incoming: Incoming, *, organization_id: uuid.UUID, media_type: str) -> Iterator[Placed]:
    """Write the bytes to storage, then let the block commit the rows that need them.

    The slow write comes before the transaction; what no row names in the end is removed.
    """
    placed = Placed(incoming, organization_id, media_type)
    placed.write()
    try:
        yield placed
    finally:
        placed.forget_unless_named()


def release(stored: StoredFile) -> str | None:
    """Take one reference away, in the open transaction; the key to delete if it was the last.

    The caller hands the key to the job `core.delete_files`, so the bytes outlive a rollback.
    """
    insist_on_transaction("release")
    held = StoredFile.objects.select_for_update(no_key=True).get(id=stored.id)
    if held.references > 1:
        StoredFile.objects.filter(id=held.id).update(references=F("references") - 1)
        return None
    held.delete()
    return held.key


def delete_bytes(key: str) -> None:
    """Remove the bytes under a key that no row names; harmless when they are gone already."""
    if not StoredFile.objects.filter(key=key).exists():
        fetched.forget(key)
        default_storage.delete(key)


def sweep_unnamed() -> None:
    """Remove day-old bytes that no row names: their process was killed before its commit."""
    horizon = timezone.now() - UNNAMED_FOR
    folders, _ = default_storage.listdir("")
    for folder in filter(_is_id, folders):
        _, names = default_storage.listdir(folder)
        keys = {f"{folder}/{name}" for name in names}
        named = StoredFile.objects.filter(organization_id=folder).values_list("key", flat=True)
        for key in keys.difference(named):
            if default_storage.get_modified_time(key) < horizon:
                delete_bytes(key)
    if not has_local_paths():
        default_storage.forget_unfinished(horizon)  # type: ignore[attr-defined]


def _is_id(name: str) -> bool:
    try:
        uuid.UUID(name)
    except ValueError:
        return False
    return True


def read_part(stored: StoredFile, start: int, length: int) -> Iterator[bytes]:
    """Some of the bytes, in blocks; only these are read. Raises FileNotFoundError at once."""
    if has_local_paths():
        return _blocks(default_storage.open(stored.key), start, length)
    found: Iterator[bytes] = default_storage.read_part(stored.key, start, length)  # type: ignore[attr-defined]
    return found


def _blocks(file: IO[bytes], start: int, length: int) -> Iterator[bytes]:
    with file:
        file.seek(start)
        while length > 0 and (block := file.read(min(BLOCK_BYTES, length))):
            length -= len(block)
            yield block


@contextmanager
def local_copy(stored: StoredFile) -> Iterator[Path]:
    """A local path to the bytes: the file itself where storage is a disk, else a fetched copy.

    A copy stays for a while after its last use: a recording is read by one job after the other.
    """
    if has_local_paths():
        yield Path(default_storage.path(stored.key))
    else:
        with fetched.copy_of(stored.key, lambda: read_part(stored, 0, stored.size_bytes)) as path:
            yield path


def has_local_paths() -> bool:
    """Whether the storage is a disk of this machine."""
    try:
        default_storage.path("x")
    except NotImplementedError:
        return False
    return True
