"""The decorator that makes a function the work of one kind of job.

::

    @job("exports.render_export", queue="export", attempts=3, time_limit_seconds=120)
    def render_export(run: Run, *, export_id: str, **_: object) -> None: ...

The kind is the Celery task name, `Job.kind`, the metric label and the admin filter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import shared_task

from core.jobs import policies, worker
from core.jobs.policies import Exponential, Fixed, Policy

KILL_AFTER_SECONDS = 15.0  # between the error a slow job can still handle and its process's end
DEFAULT_BACKOFF = Exponential()


def job(
    kind: str,
    *,
    queue: str,
    attempts: int = 3,
    time_limit_seconds: float = 120.0,
    backoff: Exponential | Fixed = DEFAULT_BACKOFF,
    priority: int = 0,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register the decorated function as the work of `kind`. Raises ValueError on a taken kind."""

    def register(perform: Callable[..., None]) -> Callable[..., None]:
        policy = Policy(kind, queue, attempts, time_limit_seconds, backoff, priority, perform)
        policies.register(policy)
        _register_celery_door(policy)
        return perform

    return register


def _register_celery_door(policy: Policy) -> None:
    @shared_task(
        name=policy.kind,
        queue=policy.queue,
        soft_time_limit=policy.time_limit_seconds,
        time_limit=policy.time_limit_seconds + KILL_AFTER_SECONDS,
        ignore_result=True,
    )
    def door(*, job_id: str, **_unknown: Any) -> None:
        worker.perform(job_id)
