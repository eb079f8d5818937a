"""One recording of each kind, encoded once for the whole run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.meetings.media import files


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The path of a recording of each kind, by the kind's name."""
    folder = tmp_path_factory.mktemp("recordings")
    samples = files.speech()
    return {kind.name: files.write(kind, folder / kind.name, samples) for kind in files.KINDS}
