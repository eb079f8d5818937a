"""The queues: one per kind of work, so that a flood of one never delays another."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Queue:
    """A Celery queue and how many of its jobs one machine runs at once unless told otherwise."""

    name: str
    concurrency: int
    meaning: str


QUEUES: dict[str, Queue] = {
    queue.name: queue
    for queue in (
        Queue("transcription", 2, "speech to text"),
        Queue("analysis", 5, "what a transcript says"),
        Queue("export", 2, "files made from meetings"),
        Queue("notification", 10, "telling people"),
        Queue("webhook", 2, "telling other systems"),
        Queue("default", 2, "the clock and housekeeping"),
    )
}
