"""Regular small chores that apps register and the relay runs: retention, leftovers, due work."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.db import DatabaseError, connection

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Chore:
    """A chore, how often it runs, and when this process last ran it (monotonic seconds)."""

    name: str
    every_seconds: float
    work: Callable[[], object]
    last_run: float = float("-inf")  # a new process runs every chore once

    def is_due(self, moment: float) -> bool:
        return moment - self.last_run >= self.every_seconds


_chores: dict[str, Chore] = {}


def register(name: str, *, every_seconds: float, work: Callable[[], object]) -> None:
    """Let the relay call `work` about that often. Idempotent work only: relays overlap."""
    _chores[name] = Chore(name, every_seconds, work)


def registered() -> list[str]:
    """The names of all chores."""
    return sorted(_chores)


def run_due(moment: float | None = None) -> None:
    """Run what is due, each under a lock that keeps another relay from doing the same."""
    moment = time.monotonic() if moment is None else moment
    for chore in _chores.values():
        if chore.is_due(moment):
            chore.last_run = moment
            _run(chore)


def run_all() -> None:
    """Run every chore now, due or not."""
    for chore in _chores.values():
        _run(chore)


def _run(chore: Chore) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [chore.name])
        if not cursor.fetchone()[0]:
            return
    try:
        chore.work()
    except DatabaseError:
        raise
    except Exception:
        log.exception("chore.failed", chore=chore.name)
    finally:
        if connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [chore.name])
