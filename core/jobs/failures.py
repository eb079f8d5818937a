"""Why an attempt ended without success, and which reasons are worth another try."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import ClassVar

from billiard.exceptions import SoftTimeLimitExceeded
from django.core.exceptions import ObjectDoesNotExist
from django.db.utils import InterfaceError, OperationalError

from core import errors
from core.files.errors import StorageUnavailable


class JobFailure(Exception):
    """A job's own reason for failing: subclass it beside the code that raises it.

    Permanent failures end the job at once as `failed`; others use up an attempt. `retry_after` is
    the least number of seconds before the next one.
    """

    code: ClassVar[str] = "job.failed"
    message: ClassVar[str] = "The work could not be done."
    permanent: ClassVar[bool] = True

    def __init__(self, message: str | None = None, *, retry_after: float | None = None) -> None:
        self.detail = message or self.message
        self.retry_after = retry_after
        super().__init__(self.detail)


class RetryableFailure(JobFailure):
    """A failure that another try may not meet."""

    code = "job.interrupted"
    message = "The work was interrupted and will be tried again."
    permanent = False


class LeaseLost(Exception):
    """Another worker holds the job now; nothing of this run may be written any more."""


class Cancelled(Exception):
    """Somebody asked for the job to stop."""


class Requeued(Exception):
    """The worker is shutting down: the job goes back to its queue, the attempt not counted."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A failure as it is stored: `code` and `message` for everybody, `detail` for staff only.

    With `waits` the job could not do its work, and its attempt is not counted for about a day.
    """

    code: str
    message: str
    permanent: bool
    retry_after: float | None = None
    detail: str = ""
    waits: bool = False


LOST = Reason("job.worker_lost", "The worker doing this vanished.", permanent=False)

# Looked through in order; the first class that fits decides. Anything else is unexpected.
TABLE: tuple[tuple[type[BaseException], str, str, bool], ...] = (
    (SoftTimeLimitExceeded, "job.too_slow", "The work took longer than allowed.", False),
    (MemoryError, "job.out_of_memory", "The work needed more memory than there is.", False),
    (OperationalError, "job.database_away", "The database could not be reached.", False),
    (InterfaceError, "job.database_away", "The database could not be reached.", False),
    (ObjectDoesNotExist, "job.subject_gone", "What this was about no longer exists.", True),
)
# Reasons that another attempt meets again at the same point, unless the machine was busy.
LIMITS = frozenset({"job.too_slow", "job.out_of_memory"})
UNEXPECTED = ("job.unexpected", "Something unexpected went wrong.", False)
LONGEST_DETAIL = 8000


def reason_for(error: BaseException) -> Reason:
    """The stored reason for an error that left a job's function."""
    detail = "".join(traceback.format_exception(error))[-LONGEST_DETAIL:]
    if isinstance(error, JobFailure):
        return Reason(error.code, error.detail, error.permanent, error.retry_after, detail)
    if isinstance(error, errors.DomainError):
        busy = isinstance(error, errors.TooBusy)
        waits = isinstance(error, StorageUnavailable)
        return Reason(error.code, error.detail, not busy, error.retry_after, detail, waits)
    for kind, code, message, permanent in TABLE:
        if isinstance(error, kind):
            return Reason(code, message, permanent, detail=detail)
    code, message, permanent = UNEXPECTED
    return Reason(code, message, permanent, detail=detail)
