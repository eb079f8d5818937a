"""One recording of each kind, encoded once for the whole run."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from tests.meetings.media import files


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The path of a recording of each kind, by the kind's name.

    Processes that run side by side share them: the first makes them, the others wait for it.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "recordings"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            samples = files.speech()
            for kind in files.KINDS:
                files.write(kind, folder / kind.name, samples)
            (folder / "complete").touch()
    return {kind.name: folder / kind.name for kind in files.KINDS}
