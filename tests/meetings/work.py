"""Sending recordings to real workers and waiting for what becomes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction
from rest_framework.test import APIClient

from core.accounts.actor import Actor
from core.events.models import Event
from core.jobs.models import Job, JobStatus
from meetings.models import Meeting, Recording, Segment
from tests import make
from tests.processes import House, wait_until


def upload(path: Path, actor: Actor | None = None, *, spoil: bool = False) -> Recording:
    """A recording sent in through the door; `spoil` zeroes its stored bytes before the commit."""
    actor = actor or make.actor()
    meeting = make.meeting(organization=actor.organization)
    with transaction.atomic():
        recording = _send(path, actor, meeting)
        if spoil:
            stored = recording.stored_file
            Path(default_storage.path(stored.key)).write_bytes(bytes(stored.size_bytes))
    return recording


def send_bytes(client: APIClient, meeting: Meeting, body: Any, **extra: Any) -> Any:
    """The answer to a recording sent as the body of a request."""
    address = f"/api/v1/meetings/{meeting.id}/recordings/"
    extra = {"content_type": "application/octet-stream", **extra}
    return client.generic("POST", address, body, **extra)


def _send(path: Path, actor: Actor, meeting: Meeting) -> Recording:
    answer = send_bytes(make.client(actor), meeting, path.read_bytes())
    assert answer.status_code == 202, answer.content
    return Recording.objects.get(id=answer.json()["recording"]["id"])


def job_of(recording: Recording) -> Job:
    job = Recording.objects.select_related("job").get(id=recording.id).job
    assert job is not None
    return job


def wait_for(recording: Recording, installation: House) -> None:
    """Until its transcript is there and everybody has heard of it: nothing writes rows any more."""
    wait_until(lambda: job_of(recording).has_ended, "the job has ended")
    assert job_of(recording).status == JobStatus.SUCCEEDED, installation.said()
    untold = Event.objects.filter(fanned_out_at=None)
    wait_until(lambda: not untold.exists(), "everybody has heard of it")


def text_of(recording: Recording) -> str:
    segments = Segment.objects.filter(transcript__recording=recording).order_by("position")
    return " ".join(segments.values_list("text", flat=True))
