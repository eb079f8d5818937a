"""One claimed attempt of a job, as its function sees it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from core.jobs import shutdown, transitions
from core.jobs.failures import Cancelled, LeaseLost, Requeued
from core.jobs.models import Job, JobStep
from core.jobs.services import Origin

REPORT = """
UPDATE core_job SET progress = %(progress)s, step = %(step)s, updated_at = clock_timestamp()
 WHERE id = %(id)s AND lease_token = %(token)s AND status = 'running' AND lease_until IS NOT NULL
RETURNING cancel_requested_at IS NOT NULL
"""


class Run:
    """The hold of this worker on a job. Everything a run writes is fenced by its claim's token.

    A function that writes results does so in `finishing()`, which marks the job succeeded in the
    same transaction. Long work calls `report()` often: that is where cancelling, a lost lease and
    a stopping worker interrupt it.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.token = job.lease_token
        self.claimed_at = time.monotonic()
        self.lost = False
        self.cancelled = False
        self.settled = False

    @property
    def id(self) -> uuid.UUID:
        return self.job.id

    @property
    def origin(self) -> Origin:
        """Whose work this is, for jobs and rows that follow from it."""
        job = self.job
        return Origin(job.organization_id, job.team_id, job.requested_by_id)

    def report(self, progress: float, step: str = "") -> None:
        """Show how far the work is (0 to 1) and what it is doing; then `checkpoint()`."""
        values: dict[str, Any] = {
            "progress": min(progress, 1.0),
            "step": step,
            "id": self.id,
            "token": self.token,
        }
        with connection.cursor() as cursor:
            cursor.execute(REPORT, values)
            row = cursor.fetchone()
        self.lost = self.lost or row is None
        self.cancelled = self.cancelled or bool(row and row[0])
        self.checkpoint()

    def checkpoint(self) -> None:
        """Stop here if the lease is lost, the job was cancelled or the worker is shutting down."""
        if self.lost:
            raise LeaseLost(str(self.id))
        if self.cancelled:
            raise Cancelled(str(self.id))
        if shutdown.is_requested():
            raise Requeued(str(self.id))

    def step(self, name: str, make: Callable[[], Any]) -> Any:
        """The JSON output of a step: the kept one, or the one `make` returns now and is kept."""
        kept = JobStep.objects.filter(job_id=self.id, name=name).first()
        if kept is not None:
            return kept.output
        output = make()
        self.keep_step(name, output)
        return output

    def keep_step(self, name: str, output: Any) -> None:
        """Keep a finished step's JSON output. Raises LeaseLost when the job is another's by now."""
        with self.writing():
            JobStep.objects.create(job_id=self.id, name=name, output=output)

    def steps(self) -> dict[str, Any]:
        """The kept outputs by step name."""
        return dict(JobStep.objects.filter(job_id=self.id).values_list("name", "output"))

    @contextmanager
    def writing(self) -> Iterator[Job]:
        """A transaction that holds the job's row; LeaseLost (and no write) if the lease is gone."""
        with transaction.atomic():
            has_parent = self.job.parent_id is not None
            yield transitions.lock(self.id, token=self.token, has_parent=has_parent)

    @contextmanager
    def finishing(self) -> Iterator[Job]:
        """`writing()` whose end is the job's success: results and status commit together."""
        with self.writing() as job:
            yield job
            transitions.succeed(job)
        self.settled = True

    def finish(self) -> None:
        """Mark the job succeeded if its function has not. Raises LeaseLost."""
        if self.settled:
            return
        if self.job.parent_id is not None:
            with self.finishing():
                return
        if not transitions.succeed_alone(self.id, token=self.token):
            raise LeaseLost(str(self.id))
        self.settled = True

    @contextmanager
    def delegating(self, step: str) -> Iterator[Job]:
        """`writing()` in which children are enqueued; the job then waits until all have ended.

        Its function is called again after the last of them, whatever their outcome.
        """
        with self.writing() as job:
            if job.cancel_requested_at is not None:
                raise Cancelled(str(self.id))
            yield job
            job.step = step
            transitions.wait_for_children(job)
        self.settled = True

    def children(self) -> list[Job]:
        """The children of this job, oldest first; empty before it delegated."""
        return list(self.job.children.order_by("id"))
