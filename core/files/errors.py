"""Why stored bytes cannot be written or read, and the one table from OSError to these reasons."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from core import errors

RETRY_SECONDS = 60.0


class StorageUnavailable(errors.TooBusy):
    """Storage cannot do its part at the moment; nothing is wrong with the request."""

    code = "storage.unavailable"
    message = "The storage of files is not available. Try again shortly."

    def __init__(self, message: str | None = None, *, retry_after: float = RETRY_SECONDS) -> None:
        super().__init__(message, retry_after=retry_after)


class StorageFull(StorageUnavailable):
    """The disk takes no more bytes."""

    code = "storage.full"
    message = "There is no room for this file at the moment."


class StorageReadOnly(StorageUnavailable):
    """The disk is mounted read-only, or this process may not write to it."""

    code = "storage.read_only"
    message = "Files cannot be written at the moment."


class StorageAway(StorageUnavailable):
    """The disk or bucket does not answer, or refuses this process."""

    code = "storage.away"
    message = "The storage of files does not answer. Try again shortly."


class FileMissing(StorageUnavailable):
    """A row names bytes that are not in the storage which this process sees."""

    code = "storage.file_missing"
    message = "The stored file cannot be found at the moment. The operator has to look into it."


class FileDamaged(errors.TooBusy):
    """The stored bytes are not those that were accepted; waiting alone will not mend them."""

    code = "storage.file_damaged"
    message = "The stored file is damaged. Upload it again, or ask the operator to restore it."

    def __init__(self) -> None:
        super().__init__(retry_after=RETRY_SECONDS)


OS_ERRORS: dict[int, type[StorageUnavailable]] = {
    errno.ENOSPC: StorageFull,
    errno.EDQUOT: StorageFull,
    errno.EFBIG: StorageFull,
    errno.EROFS: StorageReadOnly,
    errno.EACCES: StorageReadOnly,
    errno.EPERM: StorageReadOnly,
    errno.EIO: StorageAway,
    errno.ESTALE: StorageAway,
    errno.ENODEV: StorageAway,
    errno.ENXIO: StorageAway,
    errno.ENOTCONN: StorageAway,
    errno.ENOTDIR: StorageAway,
    errno.ETIMEDOUT: StorageAway,
}


@contextmanager
def storage_errors() -> Iterator[None]:
    """Raise the error that the table names for an OSError; others, as FileNotFoundError, pass."""
    try:
        yield
    except OSError as error:
        kind = OS_ERRORS.get(error.errno or 0)
        if kind is None:
            raise
        raise kind from error
