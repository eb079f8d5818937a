"""The decorator that makes a function the work of one kind of job.

::

    @job("exports.render_export", queue="export", priority=1)
    def render_export(run: Run, *, export_id: str, **_: object) -> None: ...

The kind is the Celery task name, `Job.kind`, the metric label and the admin filter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import shared_task

from core.jobs import policies, worker
from core.jobs.backoff import Backoff
from core.jobs.policies import Policy
from core.jobs.queues import QUEUES, Queue

KILL_AFTER_SECONDS = 15.0  # between the error a slow job can still handle and its process's end


def job(
    kind: str,
    *,
    queue: str,
    attempts: int | None = None,
    time_limit_seconds: float | None = None,
    backoff: Backoff | None = None,
    priority: int = 0,
    every_seconds: float | None = None,
    internal: bool = False,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register the decorated function as the work of `kind`. Raises ValueError on a taken kind.

    What is not named is the queue's. With `every_seconds` the clock asks for one such job in every
    period of that length, counted from midnight UTC.
    """
    usual = QUEUES.get(queue) or Queue(queue, 1, "a queue that core.E007 refuses")

    def register(perform: Callable[..., None]) -> Callable[..., None]:
        policy = Policy(
            kind=kind,
            queue=queue,
            attempts=attempts or usual.attempts,
            time_limit_seconds=time_limit_seconds or usual.time_limit_seconds,
            backoff=backoff or usual.backoff,
            priority=priority,
            perform=perform,
            every_seconds=every_seconds,
            internal=internal,
        )
        policies.register(policy)
        _register_celery_door(policy)
        return perform

    return register


def _register_celery_door(policy: Policy) -> None:
    @shared_task(
        name=policy.kind,
        soft_time_limit=policy.time_limit_seconds,
        time_limit=policy.time_limit_seconds + KILL_AFTER_SECONDS,
        ignore_result=True,
    )
    def door(*, job_id: str, **_unknown: Any) -> None:
        worker.perform(job_id)
