"""Files in a folder, where a name leads to a whole file or to none.

Django moves an upload to another disk without looking at short writes, so a full disk would keep
part of a file. Here bytes get a temporary name, are counted and forced to disk, and are renamed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.files.storage import FileSystemStorage

from core.files.errors import FileDamaged, StorageAway, storage_errors
from core.files.incoming import BLOCK_BYTES

PARTIAL = ".partial-"
# Recordings are for the processes of one user, or at most of its group.
FILE_MODE, FOLDER_MODE = 0o640, 0o750


class DiskStorage(FileSystemStorage):
    """The folder of STORAGE_URL. A name that is written again is replaced at once and whole."""

    def __init__(self, location: str) -> None:
        super().__init__(
            location=location,
            file_permissions_mode=FILE_MODE,
            directory_permissions_mode=FOLDER_MODE,
            allow_overwrite=True,  # keys are ids: only the same bytes are written again
        )

    def _save(self, name: str, content: Any) -> str:
        """Place all of the content under the name, or leave nothing. Raises StorageUnavailable."""
        target = Path(self.path(name))
        partial = target.with_name(f"{target.name}{PARTIAL}{uuid.uuid4().hex}")
        with storage_errors():
            _make_folder(target.parent)
            try:
                _bring(content, partial)
                with partial.open("rb") as file:
                    _check_size(os.fstat(file.fileno()).st_size, content.size)
                    self._ensure_location_group_id(str(partial))  # type: ignore[attr-defined]
                    os.fchmod(file.fileno(), FILE_MODE)
                    os.fsync(file.fileno())
                partial.replace(target)
            except BaseException:
                with contextlib.suppress(OSError):  # a disk that is read-only by now
                    partial.unlink(missing_ok=True)
                raise
            _sync_folder(target.parent)
        return name

    def delete(self, name: str) -> None:
        with storage_errors():
            super().delete(name)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """The folders and files in a folder; none in one that nothing was stored in yet."""
        try:
            with storage_errors():
                return super().listdir(path)
        except FileNotFoundError:
            return [], []

    def read_part(self, name: str, start: int, length: int, *, total: int) -> Iterator[bytes]:
        """Return a part in blocks. Raises FileNotFoundError, or FileDamaged unless it has `total`.

        Both are raised at once, before an answer has begun.
        """
        with storage_errors():
            file = self.open(name)
        if file.size != total:
            file.close()
            raise FileDamaged
        return _blocks(file, start, length)


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        _sync_folder(folder.parent)


def _bring(content: Any, partial: Path) -> None:
    """Put the content under a temporary name: by a second name for its file, else by a copy.

    Buffered writes raise where a disk is full; os.write would return a smaller number.
    """
    if hasattr(content, "temporary_file_path"):
        source = content.temporary_file_path()
        try:
            os.link(source, partial)
        except OSError:  # another disk, or a file system without links
            shutil.copyfile(source, partial)
        return
    with partial.open("xb") as file:
        for block in content.chunks():
            file.write(block)


def _check_size(size: int, expected: int) -> None:
    if size != expected:
        raise StorageAway from OSError(f"{size} of {expected} bytes were written")


def _sync_folder(folder: Path) -> None:
    """Force a new name to disk: without this a power cut may take it back."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _blocks(file: File[bytes], start: int, length: int) -> Iterator[bytes]:
    with file:
        file.seek(start)
        while length > 0 and (block := file.read(min(BLOCK_BYTES, length))):
            length -= len(block)
            yield block
