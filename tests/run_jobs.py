"""Draining background work inside a test, along the path that production takes."""

from __future__ import annotations

from core.db.clock import database_now
from core.events import services as events
from core.jobs import worker
from core.jobs.models import Job, JobStatus


def run_jobs(*, at_most: int = 200) -> int:
    """Tell the listeners and do every due job in this process until none is left; count them."""
    for done in range(at_most):
        events.fan_out()
        due = Job.objects.filter(status=JobStatus.QUEUED, run_at__lte=database_now())
        job = due.order_by("-priority", "run_at", "id").first()
        if job is None:
            return done
        worker.perform(str(job.id))
    raise AssertionError(f"still busy after {at_most} jobs")
