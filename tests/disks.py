"""Small disks of a test's own: one that is full or read-only while all others are not."""

from __future__ import annotations

import errno
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PAGE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Disk:
    """A mounted file system in memory."""

    folder: Path

    def fill(self, *, leaving_bytes: int = 0) -> None:
        """Leave room for so many bytes, in whole pages."""
        ballast = self.folder / "ballast"
        with ballast.open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(PAGE_BYTES))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
            file.truncate(file.seek(0, 2) - leaving_bytes // PAGE_BYTES * PAGE_BYTES)

    def empty(self) -> None:
        """Give back what `fill` took."""
        (self.folder / "ballast").unlink()

    def make_read_only(self) -> None:
        self._remount("ro")

    def make_writable(self) -> None:
        self._remount("rw")

    def _remount(self, mode: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{mode}", self.folder], check=True)


@contextmanager
def small_disk(folder: Path, *, megabytes: int = 2) -> Iterator[Disk]:
    """Mount a disk at a folder for the block; skip the test where that is not allowed."""
    if shutil.which("mount") is None:
        pytest.skip("there is no program that mounts")
    folder.mkdir(parents=True, exist_ok=True)
    size = f"size={megabytes}m"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder], check=False)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", folder], check=True)
