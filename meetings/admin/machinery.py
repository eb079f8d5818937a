"""The way from a row to the job that works on it."""

from __future__ import annotations

from django.utils.safestring import SafeString

from core.admin import cells
from core.jobs.models import Job


def job_link(job: Job | None) -> SafeString | str:
    """How a job fares, leading to its page."""
    return cells.link(job, cells.status(job.status)) if job else cells.NOTHING
