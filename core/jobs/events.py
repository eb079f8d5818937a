"""What the job engine publishes."""

from __future__ import annotations

from typing import TypedDict

from core.events.registry import declare


class JobEnded(TypedDict):
    """`subject_id` is what the job was about: a recording, an export, ..."""

    job_id: str
    kind: str
    subject_id: str
    error_code: str


EXAMPLE = {
    "job_id": "01a20120-2c33-720d-813f-2661fc926788",
    "kind": "meetings.transcribe_recording",
    "subject_id": "01a20120-2c33-720d-813f-2661fc926700",
    "error_code": "recording.unreadable",
}

JOB_FAILED = declare(
    "job.failed",
    data=JobEnded,
    example=EXAMPLE,
    description="A job ended for a reason that another try would only repeat.",
)
JOB_DEAD = declare(
    "job.dead",
    data=JobEnded,
    example={**EXAMPLE, "error_code": "job.worker_lost"},
    description="A job used up its attempts and waits for somebody to look at it.",
)
