"""How each kind of job is queued, limited and tried again: one table, filled by the decorator."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from core.jobs.queues import QUEUES


@dataclass(frozen=True, slots=True)
class Exponential:
    """Doubling delays with full jitter: between none and `first * 2**n`, at most `longest` seconds.

    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """

    first: float = 2.0
    longest: float = 600.0

    def delay(self, attempt: int) -> float:
        """Seconds to wait after attempt number `attempt` (1 is the first)."""
        ceiling = min(self.first * 2 ** (attempt - 1), self.longest)
        return random.uniform(0, ceiling)  # noqa: S311 - jitter, not a secret


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same delay after every attempt."""

    seconds: float

    def delay(self, attempt: int) -> float:
        """Seconds to wait, whichever attempt it was."""
        return self.seconds


@dataclass(frozen=True, slots=True)
class Policy:
    """How one kind of job is queued, limited and tried again."""

    kind: str
    queue: str
    attempts: int
    time_limit_seconds: float
    backoff: Exponential | Fixed
    priority: int
    perform: Callable[..., None]


_policies: dict[str, Policy] = {}


def register(policy: Policy) -> None:
    """Add a kind. Raises ValueError when it is taken."""
    if policy.kind in _policies:
        raise ValueError(f"{policy.kind} is registered twice")
    _policies[policy.kind] = policy


def policy_of(kind: str) -> Policy:
    """The policy of a kind. Raises KeyError for one that no task registered."""
    return _policies[kind]


def delay_after(kind: str, attempt: int) -> float:
    """Seconds between attempt number `attempt` of a kind and its next one.

    A kind that this process does not know, as during an upgrade, gets the usual pause.
    """
    policy = _policies.get(kind)
    return (policy.backoff if policy else Exponential()).delay(attempt)


def policies() -> list[Policy]:
    """All policies by kind."""
    return sorted(_policies.values(), key=lambda policy: policy.kind)


def unknown_queues() -> list[Policy]:
    """Policies whose queue no worker serves: their jobs would wait in silence."""
    return [policy for policy in _policies.values() if policy.queue not in QUEUES]
