"""The way from a row to the job that works on it."""

from __future__ import annotations

from django.utils.safestring import SafeString

from core.jobs.models import Job
from core.staff import formatting


def job_link(job: Job | None) -> SafeString | str:
    """How a job fares, leading to its page."""
    return formatting.link(job, formatting.status(job.status)) if job else formatting.NOTHING
