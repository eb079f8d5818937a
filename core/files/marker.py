"""Whether the storage belongs to the database: a row and a small file in storage hold the same id.

A process with another STORAGE_URL than the others would miss every file and place new ones where
no other process looks. One that shares the storage of another installation would sweep its files.
"""

from __future__ import annotations

import threading
import uuid

import structlog
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models.functions import Now

from core.files.errors import FileDamaged, StorageUnavailable
from core.files.models import StorageMarker, StoredFile
from core.monitoring.health import Degraded

log = structlog.get_logger(__name__)

MARKER = ".minutebook-storage"
MARKER_BYTES = 36  # the text of a UUID
LONGEST_PAUSE_SECONDS = 10.0

ADOPT = "To use this storage from now on, run `python manage.py verify_storage --adopt`."
UNMARKED = (
    f"STORAGE_URL leads to a place without the file {MARKER} that the storage of this database"
    f" has. Is the disk mounted, and is the address that of the other processes? {ADOPT}"
)
FOREIGN = (
    f"The file {MARKER} says that STORAGE_URL leads to the storage of another installation."
    f" Compare STORAGE_URL and DATABASE_URL with those of the other processes. {ADOPT}"
)


class WrongStorage(StorageUnavailable):
    """This process sees another storage than the one that belongs to the database."""

    code = "storage.wrong"
    message = (
        "The storage of files is not the one that belongs to the database. The operator has to"
        " look into it."
    )

    def __init__(self, hint: str) -> None:
        super().__init__()
        self.hint = hint  # for the log and the operator


def check_storage() -> None:
    """Raise WrongStorage unless storage and database hold the same id; the first start writes it.

    Raises StorageUnavailable when that cannot be found out.
    """
    marker, _ = StorageMarker.objects.get_or_create(id=StorageMarker.ONLY)
    if marker.written_at is None:
        _write_first()
    found = _read()
    if found is None:
        raise WrongStorage(UNMARKED)
    if found != str(marker.value):
        raise WrongStorage(FOREIGN)


def _write_first() -> None:
    """Let the first of several processes that start together mark the storage that it sees.

    The locked row keeps the others waiting for this one small write. A process that is killed in
    the middle leaves no `written_at`, so that the next one writes the same id again.
    """
    with transaction.atomic():
        marker = StorageMarker.objects.select_for_update().get(id=StorageMarker.ONLY)
        if marker.written_at is not None:
            return
        found = _read()
        if found is None:
            _write(marker.value)
        if found in (None, str(marker.value)):
            StorageMarker.objects.update(written_at=Now())


def adopt_storage() -> None:
    """Make this storage that of this database, and of no other one that used it before."""
    value = uuid.uuid4()
    with transaction.atomic():
        StorageMarker.objects.get_or_create(id=StorageMarker.ONLY)
        StorageMarker.objects.select_for_update().get(id=StorageMarker.ONLY)
        _write(value)
        StorageMarker.objects.update(value=value, written_at=Now())


def wait_for_storage(stop: threading.Event) -> None:
    """Return when `check_storage` finds nothing wrong, or `stop` is set; log the reason to wait."""
    pause = 1.0
    while not stop.is_set():
        try:
            check_storage()
            return
        except WrongStorage as error:
            log.error("storage.wrong", hint=error.hint)  # noqa: TRY400 - the hint says it all
        except (StorageUnavailable, OSError, DatabaseError, InterfaceError) as error:
            log.warning("storage.not_checked", error=f"{type(error).__name__}: {error}")
        finally:
            connection.close()  # a worker's pool must not inherit it
        stop.wait(pause)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def check_health() -> None:
    """For readiness: only the wrong storage is critical, all other work goes on without storage."""
    try:
        check_storage()
        if StoredFile.objects.exclude(problem="").exists():
            raise Degraded("stored files are missing or damaged")
    except WrongStorage:
        raise
    except StorageUnavailable as error:
        raise Degraded(error.detail) from error
    finally:
        connection.close()


def _read() -> str | None:
    """The id in storage, None without one; a file of another size is no id of ours."""
    try:
        blocks = default_storage.read_part(  # type: ignore[attr-defined]
            MARKER, 0, MARKER_BYTES, total=MARKER_BYTES
        )
        return b"".join(blocks).decode("ascii", errors="replace")
    except FileNotFoundError:
        return None
    except FileDamaged:
        return ""


def _write(value: uuid.UUID) -> None:
    default_storage.save(MARKER, ContentFile(str(value).encode()))
