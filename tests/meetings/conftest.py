"""Storage that each test can look into."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from tests.storage import use_storage


@pytest.fixture
def storage(settings: Settings, tmp_path: Path) -> Path:
    """An empty storage folder of this test's own."""
    return use_storage(settings, tmp_path / "files")
