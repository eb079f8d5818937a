"""Recording security events so that they outlive the request that caused them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import structlog
from django.db import DatabaseError, InterfaceError, connection, transaction

from core.monitoring.requests import current_request_id
from core.monitoring.scrubbing import hidden
from core.security.models import SecurityEvent, Severity

log = structlog.get_logger(__name__)

_waiting: ContextVar[list[SecurityEvent] | None] = ContextVar("security_events", default=None)


def record_security_event(
    *,
    kind: str,
    severity: Severity = Severity.WARNING,
    organization_id: uuid.UUID | None = None,
    user_id: uuid.UUID | None = None,
    ip: str | None = None,
    data: Mapping[str, Any] | None = None,
    outlives_rollback: bool = True,
) -> SecurityEvent:
    """Log and store what happened; secrets in `data` are hidden first.

    Outside a transaction the row is written at once. Inside one it waits until the request is over,
    because what is worth recording usually ends in a refusal, and a refusal rolls back. A change
    that is only true if it commits says `outlives_rollback=False`.
    """
    event = SecurityEvent(
        kind=kind,
        severity=severity,
        organization_id=organization_id,
        user_id=user_id,
        ip=ip,
        request_id=current_request_id(),
        data=hidden(dict(data or {})),
    )
    log.warning("security.event", kind=kind, severity=str(severity), ip=ip, data=event.data)
    waiting = _waiting.get()
    if outlives_rollback and waiting is not None and connection.in_atomic_block:
        waiting.append(event)
    else:
        event.save(force_insert=True)
    return event


@contextmanager
def kept_past_rollback() -> Iterator[None]:
    """Write what the block records inside transactions after the block, whatever became of them."""
    token = _waiting.set([])
    try:
        yield
    finally:
        events = _waiting.get() or []
        _waiting.reset(token)
        if events:
            _write(events)


def _write(events: list[SecurityEvent]) -> None:
    for event in events:
        try:
            with transaction.atomic():
                event.save(force_insert=True)
        except (DatabaseError, InterfaceError):
            # A row it names was rolled back, or the database is away. The answer is already made,
            # and the log line holds the same facts.
            log.exception("security.event_not_written", kind=event.kind)
