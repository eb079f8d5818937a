"""What the jobs benchmark has its workers do: nothing, in three ways."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from core.jobs.kinds import job
from core.jobs.run import Run

DURABLE, BARE, RECORDED = "bench.durable", "bench.bare", "bench.recorded"


@job(DURABLE, queue="default")
def durable(run: Run, **_: Any) -> None:
    """A job with its row."""


@shared_task(name=BARE, ignore_result=True)
def bare(**_: Any) -> None:
    """A Celery task that leaves no trace."""


@shared_task(name=RECORDED, ignore_result=False)
def recorded(**_: Any) -> None:
    """A Celery task that django-celery-results records."""
