"""The queues: one per kind of work, so that a flood of one never delays another."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.conf import settings

from core.jobs.backoff import Backoff, Exponential, Fixed


@dataclass(frozen=True, slots=True)
class Queue:
    """A Celery queue, how many of its jobs one machine runs at once unless told otherwise, and
    the policy of its kinds of jobs as far as they name none of their own.
    """

    name: str
    concurrency: int
    description: str
    attempts: int = 3
    time_limit_seconds: float = 120.0
    backoff: Backoff = field(default_factory=Exponential)

    @property
    def running_per_organization(self) -> int:
        """Jobs that an organization may run at once while others wait: half of a machine's."""
        given: dict[str, int] = settings.JOB_RUNNING_PER_ORGANIZATION
        return given.get(self.name, max(1, self.concurrency // 2))


QUEUES: dict[str, Queue] = {
    queue.name: queue
    for queue in (
        Queue("transcription", 2, "speech to text", attempts=5, time_limit_seconds=300),
        Queue("analysis", 5, "what a transcript says"),
        Queue("export", 2, "files made from meetings"),
        Queue("notification", 10, "telling people", 5, time_limit_seconds=60, backoff=Fixed(5)),
        # Twice the senders: each ends its exchanges while its successor is at work.
        Queue("webhook", 4, "telling other systems", time_limit_seconds=60),
        Queue("default", 2, "the clock and housekeeping"),
    )
}
