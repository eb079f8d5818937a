"""The numbers behind the staff's picture of the queues: what they count, and what they read."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.db.clock import database_now
from core.jobs import queries
from core.jobs.models import Job, JobStatus
from core.jobs.policies import policies
from core.jobs.queries import QueueDepth
from core.jobs.queues import QUEUES
from tests import make

pytestmark = pytest.mark.django_db

KIND = "core.prune_jobs"
ROWS = """
INSERT INTO core_job (id, created_at, updated_at, kind, queue, status, priority, arguments,
    dedup_key, attempts, max_attempts, run_at, lease_owner, lease_token, dispatch_count, progress,
    step,
    error_code, error_message, request_id, organization_id, started_at, ended_at)
SELECT gen_random_uuid(), at, at, %(kind)s, 'default', %(status)s::text, 0, '{}', '', 1, 3, at,
    '', 1, 0, 0, '', '', '', '', %(organization_id)s, at,
    CASE WHEN %(status)s::text <> 'queued' THEN at END
  FROM (SELECT now() - make_interval(hours => %(hours_ago)s, secs => n * 0.001) AS at
          FROM generate_series(1, %(count)s) AS n) AS past
"""


def rows(organization_id: uuid.UUID, count: int, *, status: JobStatus, hours_ago: int = 0) -> None:
    """So many jobs at once."""
    given: dict[str, Any] = {
        "kind": KIND,
        "status": status.value,
        "hours_ago": hours_ago,
        "count": count,
    }
    with connection.cursor() as cursor:
        cursor.execute(ROWS, {**given, "organization_id": organization_id})
        cursor.execute("ANALYZE core_job")


def depth(queue: str = "default") -> QueueDepth:
    return next(found for found in queries.queue_depths() if found.queue == queue)


def test_a_queue_counts_what_is_due_what_comes_later_and_what_runs() -> None:
    organization = make.organization()
    due, sent, later, held, waiting = (make.job(organization=organization) for _ in range(5))
    change(due, run_at=database_now(plus_seconds=-90))
    change(sent, run_at=database_now(plus_seconds=-30), dispatched_at=database_now())
    change(later, run_at=database_now(plus_seconds=60))
    change(held, status=JobStatus.RUNNING, lease_until=database_now(plus_seconds=30))
    change(waiting, status=JobStatus.RUNNING, lease_until=None)
    for status in (JobStatus.SUCCEEDED, JobStatus.DEAD, JobStatus.CANCELLED):
        make.job(organization=organization, status=status, ended_at=database_now())
    found = depth()
    assert (found.due, found.later, found.running) == (2, 1, 1), "a parent that waits is no work"
    assert 90 <= found.oldest_seconds < 150
    assert depth("export") == QueueDepth("export")


def change(job: Job, **values: Any) -> None:
    Job.objects.filter(id=job.id).update(**values)


def test_every_queue_is_named_also_one_that_the_code_forgot() -> None:
    change(make.job(organization=make.organization()), queue="gone")
    assert [found.queue for found in queries.queue_depths()] == sorted([*QUEUES, "gone"])


def test_an_hour_counts_whole_jobs_of_the_last_day_by_how_they_ended() -> None:
    organization = make.organization()
    moment = database_now() - timedelta(hours=2)
    whole = make.job(organization=organization, status=JobStatus.SUCCEEDED, ended_at=moment)
    make.job(organization=organization, status=JobStatus.FAILED, ended_at=moment)
    make.job(organization=organization, status=JobStatus.DEAD, ended_at=moment)
    make.job(organization=organization, status=JobStatus.CANCELLED, ended_at=moment)
    child: dict[str, Any] = {"status": JobStatus.SUCCEEDED, "ended_at": moment}
    make.job(organization=organization, parent=whole, **child)
    long_ago = moment - timedelta(hours=30)
    make.job(organization=organization, status=JobStatus.SUCCEEDED, ended_at=long_ago)
    (hour,) = queries.ended_per_hour(hours=24)
    assert hour.begins_at == moment.replace(minute=0, second=0, microsecond=0)
    assert (hour.succeeded, hour.failed) == (1, 2)
    assert [hour.succeeded for hour in queries.ended_per_hour(hours=48)] == [1, 1]


def test_many_rows_take_one_query_each_and_long_ago_is_not_read() -> None:
    organization_id = make.organization().id
    rows(organization_id, 20, status=JobStatus.QUEUED)
    found = []
    for more in (10_000, 30_000):
        rows(organization_id, more, status=JobStatus.SUCCEEDED, hours_ago=100)
        found.append((blocks(queries.DEPTHS, {}), blocks(queries.HOURS, HOURS_VALUES)))
    (few_depths, few_hours), (many_depths, many_hours) = found
    assert many_depths <= 1.25 * few_depths, found
    assert many_hours <= 1.25 * few_hours + 10, found
    with CaptureQueriesContext(connection) as captured:
        assert depth().due == 20
        assert queries.ended_per_hour() == []
    assert len(captured) == 2


HOURS_VALUES = {"kinds": [policy.kind for policy in policies()], "hours": 24}


def blocks(statement: str, values: dict[str, Any]) -> int:
    """What the second run of a statement touches, and that no table is read from end to end."""
    for _ in range(2):
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", values)
            answer = cursor.fetchone()[0]
    text = answer if isinstance(answer, str) else json.dumps(answer)
    assert "Seq Scan" not in text, text
    plan = json.loads(text)[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
