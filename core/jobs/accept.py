"""Writing the row of a job that was asked for: one statement.

It takes its times from the database's clock, says whether the same work was there already, and
marks the job as nudged while its window has room: then only the message is left for after the
commit. A process that dies between the two leaves a mark without a message, and the relay sends
once more what was marked a while ago and never taken.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from core.db.rows import new_id
from core.jobs import dispatch
from core.jobs.models import Job

ACCEPT = f"""
INSERT INTO core_job AS job
       (id, created_at, updated_at, kind, queue, status, priority, max_attempts, arguments,
        organization_id, team_id, requested_by_id, request_id, parent_id, subject_id, dedup_key,
        size, run_at, dispatched_at, dispatch_count, attempts, lease_owner, lease_token, progress,
        step,
        error_code, error_message)
SELECT %(id)s::uuid, moment, moment, %(kind)s::text, queue, 'queued', %(priority)s::smallint,
       %(max_attempts)s::smallint, %(arguments)s::jsonb, organization_id, %(team_id)s::uuid,
       %(requested_by_id)s::uuid, %(request_id)s::text, %(parent_id)s::uuid,
       %(subject_id)s::uuid, %(dedup_key)s::text, %(size)s::float8,
       COALESCE(later, moment),
       CASE WHEN is_sent THEN moment END, is_sent::int, 0, '', 0, 0, '', '', ''
  FROM (SELECT asked.*, may_send AND (later IS NULL OR later <= moment)
               AND {dispatch.HAS_ROOM.format(job="asked")} AS is_sent
          FROM (SELECT clock_timestamp() AS moment, %(queue)s::text AS queue,
                       %(organization_id)s::uuid AS organization_id,
                       %(run_at)s::timestamptz AS later,
                       %(may_send)s::boolean AS may_send) AS asked
        OFFSET 0) AS asked
    ON CONFLICT DO NOTHING
RETURNING *
"""  # noqa: S608 - a constant of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """What a job is made of; `run_at` None is now."""

    kind: str
    queue: str
    priority: int
    max_attempts: int
    arguments: dict[str, Any]
    organization_id: uuid.UUID | None
    team_id: uuid.UUID | None
    requested_by_id: uuid.UUID | None
    request_id: str
    subject_id: uuid.UUID | None
    parent_id: uuid.UUID | None = None
    dedup_key: str = ""
    size: float | None = None
    run_at: datetime | None = None


def accept(asked: JobRequest) -> Job | None:
    """Write the row, its message to follow the commit; None when an active job is its twin.

    Waits for another transaction that is writing the twin.
    """
    values = {
        **asdict(asked),
        "id": new_id(),
        "arguments": json.dumps(asked.arguments),
        "may_send": not dispatch.is_broker_away(),
        **dispatch.limits(),
    }
    written: Any = Job.objects.raw(ACCEPT, values)
    job: Job | None = next(iter(written), None)
    if job is not None and job.dispatched_at is not None:
        dispatch.send_on_commit(job)
    return job
