"""Regular small chores that apps register and the relay runs: retention, leftovers, due work."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.db import DatabaseError, connection

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Sweep:
    """A chore, how often it runs, and when this process last ran it (monotonic seconds)."""

    name: str
    every_seconds: float
    work: Callable[[], object]
    last_run: float = float("-inf")  # a new process runs every chore once

    def is_due(self, moment: float) -> bool:
        return moment - self.last_run >= self.every_seconds


_sweeps: dict[str, Sweep] = {}


def register(name: str, *, every_seconds: float, work: Callable[[], object]) -> None:
    """Let the relay call `work` about that often. Idempotent work only: relays overlap."""
    _sweeps[name] = Sweep(name, every_seconds, work)


def registered() -> list[str]:
    """The names of all chores."""
    return sorted(_sweeps)


def run_due(moment: float | None = None) -> None:
    """Run what is due, each under a lock that keeps another relay from doing the same."""
    moment = time.monotonic() if moment is None else moment
    for sweep in _sweeps.values():
        if sweep.is_due(moment):
            sweep.last_run = moment
            _run(sweep)


def run_all() -> None:
    """Run every chore now, due or not."""
    for sweep in _sweeps.values():
        _run(sweep)


def _run(sweep: Sweep) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [sweep.name])
        if not cursor.fetchone()[0]:
            return
    try:
        sweep.work()
    except DatabaseError:
        raise
    except Exception:
        log.exception("sweep.failed", sweep=sweep.name)
    finally:
        if connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [sweep.name])
