"""How jobs are read: by those who wait for them, and by staff who look at the whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Avg, Count, JSONField, OuterRef, Q, Subquery
from django.db.models.functions import JSONObject

from core.db.clock import database_now
from core.jobs.models import CHILDREN_END_AT, ENDED, Job, JobQuerySet, JobStatus
from core.jobs.policies import policies
from core.jobs.queues import QUEUES

PACE_OF_LAST = 50  # succeeded jobs of a kind that say how long the next one takes

PACES = """
SELECT kind.name,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY EXTRACT(epoch FROM started_at - created_at)),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY EXTRACT(epoch FROM ended_at - started_at)),
       sum(EXTRACT(epoch FROM ended_at - started_at)) FILTER (WHERE size > 0)
           / sum(size) FILTER (WHERE size > 0)
  FROM unnest(%(kinds)s::text[]) AS kind (name)
 CROSS JOIN LATERAL (
       SELECT created_at, started_at, ended_at, size FROM core_job
        WHERE core_job.kind = kind.name AND status = 'succeeded' AND parent_id IS NULL
          AND ended_at IS NOT NULL
        ORDER BY ended_at DESC LIMIT %(last)s) AS past
 WHERE started_at IS NOT NULL
 GROUP BY kind.name
"""

# Three looks, each of which an index of active jobs alone answers; "status in" would read them all.
DEPTHS = """
SELECT queue, count(*) FILTER (WHERE is_waiting AND run_at <= clock_timestamp()),
       count(*) FILTER (WHERE is_waiting AND run_at > clock_timestamp()),
       count(*) FILTER (WHERE NOT is_waiting),
       COALESCE(EXTRACT(epoch FROM clock_timestamp() - min(run_at) FILTER (
           WHERE is_waiting AND run_at <= clock_timestamp())), 0)::float
  FROM (SELECT queue, run_at, true AS is_waiting FROM core_job
         WHERE status = 'queued' AND dispatched_at IS NULL
        UNION ALL
        SELECT queue, run_at, true FROM core_job
         WHERE status = 'queued' AND dispatched_at IS NOT NULL
        UNION ALL
        SELECT queue, run_at, false FROM core_job
         WHERE status = 'running' AND lease_until IS NOT NULL) AS active
 GROUP BY queue
"""

# Of the clocks only one that stands still during a statement can bound what an index is read for.
HOURS = """
SELECT date_trunc('hour', ended_at, 'UTC') AS hour,
       count(*) FILTER (WHERE status = 'succeeded'),
       count(*) FILTER (WHERE status IN ('failed', 'dead'))
  FROM core_job
 WHERE kind = ANY(%(kinds)s) AND status IN ('succeeded', 'failed', 'dead') AND parent_id IS NULL
   AND organization_id IS NOT NULL
   AND ended_at > statement_timestamp() - make_interval(hours => %(hours)s)
 GROUP BY hour ORDER BY hour
"""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long the last jobs of a kind waited and worked: medians, in seconds.

    `work_per_size` is all their work over all their size, in which long jobs count for more: short
    ones are mostly overhead. None for a kind whose jobs have no size.
    """

    wait: float
    work: float
    work_per_size: float | None

    def work_of(self, job: Job) -> float:
        """How long all the work of a job takes at this pace."""
        if job.size is None or self.work_per_size is None:
            return self.work
        return job.size * self.work_per_size


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """A queue at this moment; `oldest_seconds` is how long the longest waiting job is due."""

    queue: str
    due: int = 0
    later: int = 0
    running: int = 0
    oldest_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Hour:
    """What ended in an hour (UTC), without children and periodic work."""

    begins_at: datetime
    succeeded: int
    failed: int


def with_children_progress(jobs: JobQuerySet) -> JobQuerySet:
    """Jobs that know how their children fare: `children_state`, None without any.

    It has `progress`, their average of 0 to 1, `total` and `ended`.
    """
    state = JSONObject(
        progress=Avg("progress"), total=Count("id"), ended=Count("id", filter=Q(status__in=ENDED))
    )
    children = Job.objects.filter(parent=OuterRef("pk")).order_by().values("parent")
    states = children.annotate(state=state).values("state")
    return jobs.annotate(children_state=Subquery(states, output_field=JSONField()))


def shown_progress(job: Job) -> float:
    """What a progress bar shows, 0 to 1: a job that waits moves on as its children do."""
    children = getattr(job, "children_state", None)
    if not job.is_waiting or children is None:
        return round(job.progress, 4)
    return round(job.progress + (CHILDREN_END_AT - job.progress) * children["progress"], 4)


def shown_step(job: Job) -> str:
    """What a job is doing or waiting for; for one that has ended, the last thing that it did."""
    if job.is_waiting:
        children = getattr(job, "children_state", None)
        done = " ({ended} of {total} done)".format(**children) if children else ""
        return ", ".join(filter(None, (job.step, f"waiting for its parts{done}")))
    if job.status != JobStatus.QUEUED:
        return job.step
    if job.attempts == 0 and not job.error_code:
        return "waiting for a worker"
    attempt = f"attempt {job.attempts + 1} of {job.max_attempts}"
    due = f"{job.run_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"waiting for {attempt}, not before {due}: {job.error_message}".removesuffix(": ")


def with_estimates(jobs: Iterable[Job]) -> list[Job]:
    """The jobs, those at work knowing the `pace` of their kind (None without history); one query.

    Pieces of larger jobs have none.
    """
    listed = list(jobs)
    found = paces({job.kind for job in listed if not job.has_ended})
    moment = database_now() if found else None
    for job in listed:
        job.pace, job.paced_at = found.get(job.kind), moment  # type: ignore[attr-defined]
    return listed


def paces(kinds: set[str]) -> dict[str, Pace]:
    """The pace of each kind that has a history."""
    if not kinds:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(PACES, {"kinds": sorted(kinds), "last": PACE_OF_LAST})
        rows = cursor.fetchall()
    return {
        kind: Pace(float(wait), float(work), None if per_size is None else float(per_size))
        for kind, wait, work, per_size in rows
    }


def seconds_left(job: Job) -> int | None:
    """About how long a job will still take; None when it has ended or nothing is known."""
    pace: Pace | None = getattr(job, "pace", None)
    if pace is None or job.has_ended or job.parent_id is not None:
        return None
    work = pace.work_of(job) * (1 - shown_progress(job))
    if job.status == JobStatus.QUEUED and job.started_at is None:
        waited = (job.paced_at - job.created_at).total_seconds()  # type: ignore[attr-defined]
        work += max(0.0, pace.wait - waited)
    return max(1, round(work))


def queue_depths() -> list[QueueDepth]:
    """Every queue with what waits and runs in it now. Reads active jobs only."""
    with connection.cursor() as cursor:
        cursor.execute(DEPTHS)
        found = {row[0]: QueueDepth(*row) for row in cursor.fetchall()}
    return [found.get(name, QueueDepth(name)) for name in sorted({*QUEUES, *found})]


def ended_per_hour(*, hours: int = 24) -> list[Hour]:
    """The hours in which something ended, oldest first."""
    kinds = [policy.kind for policy in policies()]
    with connection.cursor() as cursor:
        cursor.execute(HOURS, {"kinds": kinds, "hours": hours})
        return [Hour(*row) for row in cursor.fetchall()]
