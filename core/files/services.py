"""Keeping bytes, sharing them between rows, and letting them go."""

from __future__ import annotations

import contextlib
import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import DatabaseError, InterfaceError, models, transaction
from django.db.models import F
from django.db.models.functions import Now

from core.db.clock import database_now
from core.db.rows import new_id
from core.db.transactions import require_transaction
from core.files import local_cache
from core.files.errors import FileDamaged, FileMissing, StorageAway
from core.files.incoming import Incoming
from core.files.marker import check_storage
from core.files.models import PendingFile, StoredFile

UNNAMED_FOR = timedelta(days=1)
READ_TO_COMPARE_BYTES = 32 * 1024**2
SLOWEST_BYTES_PER_SECOND = 1024**2
ABANDONED_AT_ONCE = 500


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
        self.is_named = False

    def write(self) -> None:
        """Move or upload the bytes under their key, unless the organization has them already."""
        same = self._twins().first()
        if same is None:
            self._is_written = True
            self._create_pending()
            self._save(self._row.key)
        elif same.problem or not is_whole(same):  # it comes back with its next upload
            self._save(same.key)
            StoredFile.objects.filter(id=same.id).update(problem="")

    def keep(self) -> StoredFile:
        """The row of these bytes with one more reference, in the caller's open transaction."""
        require_transaction("keep")
        twin = self._twins().select_for_update(no_key=True).first()
        if twin is None:
            if not self._is_written:  # the twin seen by `write` was deleted meanwhile; very rare
                self.write()
            StoredFile.objects.bulk_create([self._row], ignore_conflicts=True)
            twin = self._twins().select_for_update(no_key=True).get()
        if twin.id != self._row.id:
            twin.references += 1
            twin.save(update_fields=["references", "updated_at"])
        else:
            self._settle()
        return twin

    def remove_unless_named(self) -> None:
        """Remove the written bytes when no row came to need them, as the database tells.

        An exception does not tell: a COMMIT whose answer was lost has happened all the same. When
        the database cannot be asked, `take_abandoned` finds the bytes once it is back.
        """
        if not self._is_written:
            return
        pending = PendingFile.objects.filter(key=self._row.key)
        with contextlib.suppress(DatabaseError, InterfaceError):
            with transaction.atomic():
                free = pending.select_for_update(skip_locked=True).first()
            if free is None and pending.exists():
                return  # locked: the COMMIT whose answer was lost is still under way
            delete_bytes(self._row.key)
            pending.delete()

    def _create_pending(self) -> None:
        """Say what is about to be written, so that it is found however this process ends."""
        slowest = timedelta(seconds=self._row.size_bytes / SLOWEST_BYTES_PER_SECOND)
        patience = timedelta(seconds=settings.PENDING_FILE_SECONDS) + slowest
        PendingFile.objects.create(
            organization_id=self._row.organization_id,
            key=self._row.key,
            settle_at=Now() + patience,
        )

    def _settle(self) -> None:
        """End the time of the pending row with the `StoredFile`. Raises StorageAway if it is over.

        The bytes may be gone then. Until the transaction ends, the deleted row is locked, which
        keeps them from being removed.
        """
        settled, _ = PendingFile.objects.filter(key=self._row.key).delete()
        if not settled:
            raise StorageAway("Storing the file took too long. Try again shortly.")
        self.is_named = True

    def _save(self, key: str) -> None:
        with self._incoming.path.open("rb") as source:
            default_storage.save(key, LocalUpload(source, self._incoming))

    def _twins(self) -> models.QuerySet[StoredFile]:
        return StoredFile.objects.filter(
            organization_id=self._row.organization_id, sha256=self._row.sha256
        )


class LocalUpload(File):
    """A local file that storage on the same disk takes by a second name for it, without a copy."""

    def __init__(self, source: IO[bytes], incoming: Incoming) -> None:
        super().__init__(source, name=incoming.path.name)
        self._path = incoming.path
        self.size = incoming.size_bytes  # storage compares it with the bytes that were written

    def temporary_file_path(self) -> str:
        return str(self._path)


@contextmanager
def placing(incoming: Incoming, *, organization_id: uuid.UUID, media_type: str) -> Iterator[Placed]:
    """Write the bytes to storage, then let the block commit the rows that need them.

    The slow write comes before the transaction; what no row names in the end is removed.
    Raises StorageUnavailable, as WrongStorage before a byte is written.
    """
    check_storage()
    placed = Placed(incoming, organization_id, media_type)
    is_committed = False
    try:
        placed.write()
        yield placed
        is_committed = placed.is_named
    finally:
        if not is_committed:
            placed.remove_unless_named()


def take_abandoned() -> dict[uuid.UUID, list[str]]:
    """Return the keys of bytes whose row never came, by organization, and forget them.

    The caller hands them to the job `core.delete_files`, in the same open transaction.
    """
    require_transaction("take_abandoned")
    overdue = PendingFile.objects.filter(settle_at__lte=Now()).order_by("settle_at")
    rows = list(overdue.select_for_update(skip_locked=True)[:ABANDONED_AT_ONCE])
    PendingFile.objects.filter(id__in=[row.id for row in rows]).delete()
    keys: dict[uuid.UUID, list[str]] = {}
    for row in rows:
        keys.setdefault(row.organization_id, []).append(row.key)
    return keys


def release(stored: StoredFile) -> str | None:
    """Take one reference away, in the open transaction; the key to delete if it was the last.

    The caller hands the key to the job `core.delete_files`, so the bytes outlive a rollback.
    """
    require_transaction("release")
    held = StoredFile.objects.select_for_update(no_key=True).get(id=stored.id)
    if held.references > 1:
        StoredFile.objects.filter(id=held.id).update(references=F("references") - 1)
        return None
    held.delete()
    return held.key


def delete_bytes(key: str) -> None:
    """Remove the bytes under a key that no row names; harmless when they are gone already."""
    if not StoredFile.objects.filter(key=key).exists():
        local_cache.forget(key)
        default_storage.delete(key)


def sweep_unnamed() -> None:
    """Remove day-old bytes that no row names: their process was killed before its commit.

    Raises WrongStorage: in the storage of another installation no row names anything.
    """
    check_storage()
    horizon = database_now() - UNNAMED_FOR
    folders, _ = default_storage.listdir("")
    for folder in filter(_is_id, folders):
        _, names = default_storage.listdir(folder)
        keys = {f"{folder}/{name}" for name in names}
        named = StoredFile.objects.filter(organization_id=folder).values_list("key", flat=True)
        for key in keys.difference(named):
            with contextlib.suppress(FileNotFoundError):  # deleted since the folder was listed
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


def is_whole(stored: StoredFile) -> bool:
    """Return whether the bytes lie in storage, as far as that is found out cheaply.

    A small file on a disk is read; otherwise its size is compared.
    """
    try:
        check_size(stored)
        if has_local_paths() and stored.size_bytes <= READ_TO_COMPARE_BYTES:
            return sha256_of(stored) == stored.sha256
    except (FileMissing, FileDamaged):
        return False
    return True


def check_size(stored: StoredFile) -> None:
    """Raise FileMissing or FileDamaged unless storage has as many bytes as the row says."""
    try:
        size = default_storage.size(stored.key)
    except FileNotFoundError as error:
        raise FileMissing from error
    if size != stored.size_bytes:
        raise FileDamaged


def sha256_of(stored: StoredFile) -> str:
    """Return the digest of the bytes in storage. Raises FileMissing or FileDamaged."""
    digest = hashlib.sha256()
    for block in read_part(stored, 0, stored.size_bytes):
        digest.update(block)
    return digest.hexdigest()


def read_part(stored: StoredFile, start: int, length: int) -> Iterator[bytes]:
    """Some of the bytes, in blocks; only these are read. Raises FileMissing or FileDamaged."""
    try:
        found: Iterator[bytes] = default_storage.read_part(  # type: ignore[attr-defined]
            stored.key, start, length, total=stored.size_bytes
        )
    except FileNotFoundError as error:
        raise FileMissing from error
    return found


@contextmanager
def local_copy(stored: StoredFile) -> Iterator[Path]:
    """A local path to the bytes: the file itself where storage is a disk, else a fetched copy.

    A copy stays for a while after its last use: a recording is read by one job after the other.
    Raises FileMissing or FileDamaged.
    """
    if has_local_paths():
        check_size(stored)
        yield Path(default_storage.path(stored.key))
    else:
        with local_cache.copy_of(
            stored.key, lambda: read_part(stored, 0, stored.size_bytes)
        ) as path:
            yield path


def has_local_paths() -> bool:
    """Whether the storage is a disk of this machine."""
    try:
        default_storage.path("x")
    except NotImplementedError:
        return False
    return True
