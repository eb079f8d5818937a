"""Storage that each test can look into."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings


@pytest.fixture
def storage(settings: Settings, tmp_path: Path) -> Path:
    """An empty storage folder of this test's own."""
    folder = tmp_path / "files"
    default = {**settings.STORAGES["default"], "OPTIONS": {"location": str(folder)}}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    return folder


def files_in(folder: Path) -> list[Path]:
    """Every file below, also those that are on their way in."""
    return [path for path in folder.rglob("*") if path.is_file()]
