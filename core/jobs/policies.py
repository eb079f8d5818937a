"""How each kind of job is queued, limited and tried again: one table, filled by the decorator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.jobs.backoff import Backoff, Exponential
from core.jobs.queues import QUEUES


@dataclass(frozen=True, slots=True)
class Policy:
    """How one kind of job is queued, limited and tried again; `every_seconds` is by the clock.

    `internal` is work that follows from what people did and that only staff may stop.
    """

    kind: str
    queue: str
    attempts: int
    time_limit_seconds: float
    backoff: Backoff
    priority: int
    perform: Callable[..., None]
    every_seconds: float | None = None
    internal: bool = False


_policies: dict[str, Policy] = {}


def register(policy: Policy) -> None:
    """Add a kind. Raises ValueError when it is taken."""
    if policy.kind in _policies:
        raise ValueError(f"{policy.kind} is registered twice")
    _policies[policy.kind] = policy


def policy_of(kind: str) -> Policy:
    """The policy of a kind. Raises KeyError for one that no task registered."""
    return _policies[kind]


def route(kind: str, *_message: Any, **_options: Any) -> dict[str, str] | None:
    """Celery's question which queue a kind goes to (`task_routes`)."""
    policy = _policies.get(kind)
    return {"queue": policy.queue} if policy else None


def is_internal(kind: str) -> bool:
    """Whether only staff may stop jobs of this kind."""
    policy = _policies.get(kind)
    return policy is not None and policy.internal


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
