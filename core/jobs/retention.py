"""How long ended jobs are kept: their history is useful for weeks, a dead one for months.

However old, the newest of each kind stay, so that a quiet installation still shows how its last
jobs went. Pieces of a job live and go with it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from core.db.clock import database_now
from core.jobs.models import Job, JobQuerySet, JobStatus

BATCH = 200
USUAL_SECONDS = 30.0

# Hops over the index from one kind to the next.
KINDS = """
WITH RECURSIVE kinds AS (
    (SELECT kind FROM core_job WHERE parent_id IS NULL AND ended_at IS NOT NULL
      ORDER BY kind LIMIT 1)
    UNION ALL
    SELECT (SELECT job.kind FROM core_job AS job
             WHERE job.parent_id IS NULL AND job.ended_at IS NOT NULL AND job.kind > kinds.kind
             ORDER BY job.kind LIMIT 1)
      FROM kinds WHERE kinds.kind IS NOT NULL
)
SELECT kind FROM kinds WHERE kind IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """For how many days jobs that ended so are kept, and how many of each kind in any case."""

    status: JobStatus
    days: int
    least: int


def keepings() -> tuple[RetentionRule, ...]:
    """The rules, by how a job ended."""
    days, dead_days = settings.JOB_HISTORY_DAYS, settings.JOB_DEAD_DAYS
    return (
        RetentionRule(JobStatus.SUCCEEDED, days, least=100),
        RetentionRule(JobStatus.FAILED, days, least=1000),
        RetentionRule(JobStatus.DEAD, dead_days, least=1000),
        RetentionRule(JobStatus.CANCELLED, days, least=0),
    )


def prune(*, seconds: float = USUAL_SECONDS) -> int:
    """Delete what is too old, a batch at a time; how many jobs went, their children not counted.

    Stops after about `seconds`, for the next round to go on.
    """
    end = time.monotonic() + seconds
    gone = 0
    for jobs in _too_old():
        while time.monotonic() < end and (batch := _delete_some(jobs)):
            gone += batch
    return gone


def _too_old() -> Iterator[JobQuerySet]:
    moment = database_now()
    for kind in _kinds():
        for rule in keepings():
            ended = Job.objects.filter(
                kind=kind, status=rule.status, parent=None, ended_at__isnull=False
            )
            horizon = _horizon(ended, rule, moment - timedelta(days=rule.days))
            if horizon is not None:
                yield ended.filter(ended_at__lt=horizon)


def _kinds() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(KINDS)
        return [kind for (kind,) in cursor.fetchall()]


def _horizon(ended: JobQuerySet, rule: RetentionRule, horizon: datetime) -> datetime | None:
    """What ended before it may go; None while there are no more than the least number."""
    if rule.least == 0:
        return horizon
    newest = ended.order_by("-ended_at").values_list("ended_at", flat=True)
    last_kept = newest[rule.least - 1 : rule.least].first()
    return min(last_kept, horizon) if last_kept is not None else None


def _delete_some(jobs: JobQuerySet) -> int:
    """One transaction; a row that somebody holds, as to requeue it, is left for another time."""
    with transaction.atomic():
        chosen = jobs.select_for_update(skip_locked=True, no_key=False).order_by("ended_at")
        ids = list(chosen.values_list("id", flat=True)[:BATCH])
        Job.objects.filter(id__in=ids).delete()
    return len(ids)
