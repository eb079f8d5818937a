"""Whether this process can do its work: named checks, run side by side within a hard time limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import structlog

from core.errors import DomainError

log = structlog.get_logger(__name__)

LIMIT_SECONDS = 2.0


class Status(StrEnum):
    """`degraded`: answers, but slowly or without something it can do without for a while."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


class Degraded(Exception):
    """Raised by a check, also a critical one, for a problem that the process can work with.

    Its message is shown to everybody.
    """


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; `problem` is a few words without names of hosts or users."""

    status: Status
    latency_ms: float
    problem: str = ""

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "status": self.status.value,
            "latency_ms": round(self.latency_ms, 1),
        }
        return {**found, "problem": self.problem} if self.problem else found


@dataclass(slots=True)
class Check:
    """A way to find out. `run` returns when all is well and raises when not.

    The message of a DomainError is shown, of other errors only the type.

    A `critical` failure makes the process unhealthy, another one only degraded; a success slower
    than `slow_ms` is degraded too.
    """

    name: str
    run: Callable[[], object]
    critical: bool = False
    slow_ms: float = 500.0
    _running: Future[float] | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def start(self) -> Future[float]:
        """Run in a thread of its own; while one still hangs, no second one is started."""
        with self._lock:
            if self._running is None or self._running.done():
                self._running = Future()
                threading.Thread(
                    target=_measure,
                    args=(self.run, self._running),
                    name=f"health-{self.name}",
                    daemon=True,
                ).start()
            return self._running

    def judge(self, future: Future[float], *, deadline: float) -> Finding:
        """The finding, at the latest at `deadline` on the monotonic clock."""
        try:
            ms = future.result(timeout=max(0.0, deadline - time.monotonic()))
        except FutureTimeout:
            return Finding(self._failed, LIMIT_SECONDS * 1000, "no answer in time")
        except Degraded as error:
            return Finding(Status.DEGRADED, 0.0, str(error))
        except DomainError as error:
            return Finding(self._failed, 0.0, error.detail)
        except Exception as error:
            log.warning("health.check_failed", check=self.name, exc_info=error)
            return Finding(self._failed, 0.0, type(error).__name__)
        if ms > self.slow_ms:
            return Finding(Status.DEGRADED, ms, "slow")
        return Finding(Status.HEALTHY, ms)

    @property
    def _failed(self) -> Status:
        return Status.UNHEALTHY if self.critical else Status.DEGRADED


_checks: dict[str, Check] = {}


def register(
    name: str, run: Callable[[], object], *, critical: bool = False, slow_ms: float = 500.0
) -> None:
    """Add a check to readiness; the same name again replaces the earlier one."""
    _checks[name] = Check(name, run, critical=critical, slow_ms=slow_ms)


def examine(*, limit_seconds: float = LIMIT_SECONDS) -> tuple[Status, dict[str, Finding]]:
    """Run every check side by side, within the limit; the worst finding is that of the whole."""
    deadline = time.monotonic() + limit_seconds
    started = [(check, check.start()) for check in list(_checks.values())]
    findings = {check.name: check.judge(future, deadline=deadline) for check, future in started}
    statuses = {finding.status for finding in findings.values()}
    for worst in (Status.UNHEALTHY, Status.DEGRADED):
        if worst in statuses:
            return worst, findings
    return Status.HEALTHY, findings


def _measure(run: Callable[[], object], future: Future[float]) -> None:
    started = time.perf_counter()
    try:
        run()
    except BaseException as error:  # noqa: BLE001 - carried to the thread that asks
        future.set_exception(error)
    else:
        future.set_result((time.perf_counter() - started) * 1000)
