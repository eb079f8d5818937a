"""How jobs are read by those who wait for them."""

from __future__ import annotations

from django.db.models import Avg

from core.jobs.models import Job, JobQuerySet

WAITING_ENDS_AT = 0.95


def with_children_progress(jobs: JobQuerySet) -> JobQuerySet:
    """Jobs that know how far their children are on average (`children_progress`, 0 to 1)."""
    return jobs.annotate(children_progress=Avg("children__progress"))


def shown_progress(job: Job) -> float:
    """What a progress bar shows, 0 to 1: a job that waits moves on as its children do."""
    done = getattr(job, "children_progress", None)
    if not job.is_waiting or done is None:
        return round(job.progress, 4)
    return round(job.progress + (WAITING_ENDS_AT - job.progress) * done, 4)
