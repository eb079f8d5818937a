"""Folders that are the storage of the test database: they hold the id that its row has."""

from __future__ import annotations

import uuid
from pathlib import Path

from pytest_django.fixtures import Settings

from core.files.marker import MARKER
from core.files.storage_url import storage_at

STORAGE_ID = uuid.UUID("0193d0c2-7a10-7000-8000-000000000001")


def mark_storage(folder: Path) -> None:
    """Make a folder one that processes on the test database accept as their storage."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).write_text(str(STORAGE_ID))


def use_storage(settings: Settings, folder: Path) -> Path:
    """Make a folder the storage of this process for the rest of the test."""
    settings.STORAGES = {**settings.STORAGES, "default": storage_at(str(folder))}
    mark_storage(folder)
    return folder


def files_below(folder: Path) -> list[Path]:
    """Return every file in a storage but its marker, also those that are on their way in."""
    return [path for path in folder.rglob("*") if path.is_file() and path.name != MARKER]
