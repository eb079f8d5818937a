"""Bytes on their way in: written once to a local file while they are counted and hashed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage

from core import errors
from core.files.errors import storage_errors

BLOCK_BYTES = 1024**2
HEAD_BYTES = 8192  # enough for a content check to name the type
SYNC_BYTES = 64 * 1024**2
STALE_SECONDS = 24 * 3600.0


class UploadTooLarge(errors.TooLarge):
    """More bytes than this server accepts."""

    code = "upload.too_large"
    message = "The file is larger than this server accepts."


class UploadIncomplete(errors.Invalid):
    """The connection ended before all announced bytes arrived."""

    code = "upload.incomplete"
    message = "The upload ended before all of the announced bytes had arrived."


@dataclass(frozen=True, slots=True)
class Incoming:
    """A whole upload on local disk. `path` is gone when the `receiving` block ends."""

    path: Path
    sha256: str
    size_bytes: int


class Receiver:
    """Takes blocks, refuses too many of them, and lets `check_head` refuse the content early."""

    def __init__(self, path: Path, *, limit: int, check_head: Callable[[bytes], object]) -> None:
        self._file = path.open("wb")
        self._path = path
        self._digest = hashlib.sha256()
        self._limit = limit
        self._check_head = check_head
        self._head: bytearray | None = bytearray()
        self._unsynced = 0
        self.size_bytes = 0

    @storage_errors()
    def take(self, block: bytes) -> None:
        """Write a block. Raises UploadTooLarge, StorageUnavailable, or what `check_head` raises."""
        self.size_bytes += len(block)
        if self.size_bytes > self._limit:
            raise UploadTooLarge
        if self._head is not None:
            self._head += block[:HEAD_BYTES]
            if len(self._head) >= HEAD_BYTES:
                self._look_at_head()
        self._digest.update(block)
        self._file.write(block)
        self._unsynced += len(block)
        if self._unsynced >= SYNC_BYTES:
            self._sync()

    @storage_errors()
    def finish(self) -> Incoming:
        """Close the file and say what arrived. Raises what `check_head` raises."""
        self._look_at_head()
        self._sync()
        self._file.close()
        return Incoming(self._path, self._digest.hexdigest(), self.size_bytes)

    def _sync(self) -> None:
        """On the disk before anybody hears that it was accepted; in parts: the last is short."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._unsynced = 0

    def _look_at_head(self) -> None:
        if self._head:
            self._check_head(bytes(self._head))
        self._head = None

    def discard(self) -> None:
        """Close and remove the file; harmless when it was moved away or removed before."""
        with contextlib.suppress(OSError):  # a full disk refuses the last block once more
            self._file.close()
        with contextlib.suppress(OSError):  # read-only by now: `sweep_uploads` removes it
            self._path.unlink(missing_ok=True)


@contextmanager
def receiving(*, limit: int, check_head: Callable[[bytes], object]) -> Iterator[Receiver]:
    """A receiver whose file never outlives the block. Raises StorageUnavailable."""
    with storage_errors():
        with tempfile.NamedTemporaryFile(
            dir=upload_folder(), prefix="upload-", delete=False
        ) as made:
            path = Path(made.name)
        receiver = Receiver(path, limit=limit, check_head=check_head)
        try:
            yield receiver
        finally:
            receiver.discard()


def upload_folder() -> Path:
    """Where uploads wait: inside the local storage, so that keeping one is a rename, not a copy."""
    location = settings.UPLOAD_FOLDER or getattr(default_storage, "base_location", "")
    folder = Path(location or tempfile.gettempdir()) / "incoming"
    with storage_errors():
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    return folder


def sweep_uploads() -> None:
    """Remove what a killed web process left behind a day ago."""
    remove_older("upload-*", seconds=STALE_SECONDS)


def remove_older(pattern: str, *, seconds: float) -> None:
    """Remove files of the folder of uploads that were not touched for so long."""
    horizon = time.time() - seconds  # noqa: TID251 - of the machine whose files these are
    for path in upload_folder().glob(pattern):
        with contextlib.suppress(FileNotFoundError):  # somebody has just done with it
            if path.stat().st_mtime < horizon:
                path.unlink()
