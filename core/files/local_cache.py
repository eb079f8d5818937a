"""Copies of files from a bucket on the disk of a worker, for the jobs that read them in turn.

They lie in the folder of uploads and go some hours after their last use, or with their file.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core.files.errors import storage_errors
from core.files.incoming import remove_older, upload_folder

# Longer than any job may hold a copy.
UNUSED_SECONDS = 2 * 3600.0
_FETCHED = "fetched-"


@contextmanager
def copy_of(key: str, read: Callable[[], Iterable[bytes]]) -> Iterator[Path]:
    """A path to the bytes under a key, which `read` brings if no job has done so before.

    It is a name of its own for the block: whoever removes the copy takes it from nobody.
    """
    copy = _place(key)
    mine = copy.with_name(f"{copy.name}-{uuid.uuid4().hex}")
    sweep()
    try:
        if not _is_linked(copy, mine):
            _fetch(mine, read())
            with contextlib.suppress(FileExistsError):  # another process has brought it too
                os.link(mine, copy)
        yield mine
    finally:
        mine.unlink(missing_ok=True)


def forget(key: str) -> None:
    """Remove the copy of a file that is deleted."""
    _place(key).unlink(missing_ok=True)


def sweep() -> None:
    """Remove copies that nobody has used for hours."""
    remove_older(f"{_FETCHED}*", seconds=UNUSED_SECONDS)


def _place(key: str) -> Path:
    return upload_folder() / f"{_FETCHED}{key.replace('/', '-')}"


def _is_linked(copy: Path, mine: Path) -> bool:
    """Whether there was a copy to give another name to; it counts as used now."""
    try:
        os.link(copy, mine)
    except FileNotFoundError:
        return False
    os.utime(mine)
    return True


def _fetch(target: Path, blocks: Iterable[bytes]) -> None:
    with storage_errors(), target.open("xb") as file:
        for block in blocks:
            file.write(block)
