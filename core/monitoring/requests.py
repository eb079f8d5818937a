"""Which request, or which job of it, the running code belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import structlog
from uuid_utils import compat

_request_id: ContextVar[str] = ContextVar("request_id", default="")

# Short enough for its column, and nothing that could break a log line or a header.
ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{8,64}")


def current_request_id() -> str:
    """The id of the request being answered, or of the one that asked for this job; "" for none."""
    return _request_id.get()


def request_id_from(header: str | None) -> str:
    """The caller's id when it is acceptable, a new one otherwise."""
    if header and ACCEPTABLE.fullmatch(header):
        return header
    return compat.uuid7().hex


@contextmanager
def bound_to_request(request_id: str, **context: str) -> Iterator[None]:
    """Name the request, and `context`, in every log line of the block.

    Whatever an earlier block of this thread left bound is hidden until the block ends.
    """
    token = _request_id.set(request_id)
    kept = structlog.contextvars.get_contextvars()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id, **context)
    try:
        yield
    finally:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(**kept)
        _request_id.reset(token)
