"""Recordings listed, downloaded by a signed link, and deleted one by one."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from core.accounts.actor import Actor
from core.accounts.models import Role
from core.events.models import Event
from core.files.links import create_link
from core.files.models import StoredFile
from core.jobs.models import Job
from exports.models import Export
from meetings.models import (
    ActionItem,
    Analysis,
    Evidence,
    Meeting,
    Recording,
    Segment,
    Transcript,
)
from tests import make
from tests.meetings.recordings import JFK
from tests.meetings.work import send_bytes
from tests.run_jobs import run_jobs
from tests.storage import files_below

pytestmark = pytest.mark.django_db

URL = "/api/v1/recordings/"


@pytest.fixture
def actor() -> Actor:
    return make.actor(role=Role.MEMBER)


@pytest.fixture
def meeting(actor: Actor, storage: Path) -> Meeting:
    return make.meeting(organization=actor.organization)


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


def fetch(address: str, **headers: str) -> Any:
    return APIClient().get(address, headers=headers)


def test_list_is_filtered_by_meeting_and_status_and_paged_by_cursor(
    actor: Actor, meeting: Meeting
) -> None:
    client = make.client(actor)
    queued, dead = make.recording(meeting=meeting), make.recording(meeting=meeting)
    assert dead.job is not None
    Job.objects.filter(id=dead.job.id).update(status="dead")
    other = make.recording(meeting=make.meeting(organization=actor.organization))
    make.recording(meeting=make.meeting())  # of another organization

    assert ids(client.get(URL)) == [str(r.id) for r in (other, dead, queued)]
    assert ids(client.get(URL, {"meeting": str(meeting.id)})) == [str(dead.id), str(queued.id)]
    assert ids(client.get(URL, {"status": "dead"})) == [str(dead.id)]
    assert client.get(URL, {"status": "lost"}).status_code == 400
    first = client.get(URL, {"page_size": "2", "status": "queued"}).json()
    assert [row["status"] for row in first["results"]] == ["queued", "queued"]
    assert first["next"] is None


def test_recording_whose_job_was_pruned_has_the_status_of_its_transcript(
    actor: Actor, meeting: Meeting
) -> None:
    done, lost = (make.recording(meeting=meeting, with_job=False) for _ in range(2))
    make.transcript(recording=done)
    client = make.client(actor)
    assert ids(client.get(URL, {"status": "succeeded"})) == [str(done.id)]
    assert client.get(f"{URL}{lost.id}/").json()["status"] == "failed"


def test_download_link_opens_the_file_and_a_range_of_it_without_a_key(
    actor: Actor, meeting: Meeting
) -> None:
    body = JFK.read_bytes()
    client: Any = make.client(actor)
    upload = f"/api/v1/meetings/{meeting.id}/recordings/?filename=a%0A.flac"
    sent = client.generic("POST", upload, body, "application/octet-stream")
    recording = sent.json()["recording"]
    address = urlsplit(recording["download_url"]).path

    whole = fetch(address)
    assert (whole.status_code, whole["Content-Type"]) == (200, "audio/flac")
    assert whole["Content-Disposition"] == 'attachment; filename="a.flac"'
    assert b"".join(whole.streaming_content) == body
    part = fetch(address, Range="bytes=4-9")
    assert (part.status_code, b"".join(part.streaming_content)) == (206, body[4:10])

    shown = client.get(f"{URL}{recording['id']}/").json()
    assert fetch(urlsplit(shown["download_url"]).path).status_code == 200


def test_link_ends_after_an_hour_and_fits_no_other_kind_of_row(meeting: Meeting) -> None:
    recording = make.recording(meeting=meeting)
    export = make.export(meeting=meeting)
    hour_ago = timezone.now() - timedelta(seconds=3601)
    old = create_link(recording, stored_file_id=recording.stored_file_id, moment=hour_ago)
    assert export.stored_file_id is not None
    of_export = create_link(export, stored_file_id=export.stored_file_id, moment=timezone.now())
    for token, code in ((old.token, "link.expired"), (of_export.token, "link.invalid")):
        answer = APIClient().get(f"{URL}{recording.id}/file/{token}/")
        assert (answer.status_code, answer.json()["code"]) == (403, code)


def test_deleted_recording_takes_what_rests_on_it_and_leaves_the_rest(
    actor: Actor, meeting: Meeting, storage: Path
) -> None:
    client = make.client(actor)
    kept, deleted = make.recording(meeting=meeting), make.recording(meeting=meeting)
    kept_text = make.transcript(recording=kept)
    make.analysis(transcript=kept_text)
    make.analysis(transcript=make.transcript(recording=deleted))
    make.export(meeting=meeting)
    link = urlsplit(client.get(f"{URL}{deleted.id}/").json()["download_url"]).path

    assert client.delete(f"{URL}{deleted.id}/").status_code == 204

    assert client.get(f"{URL}{deleted.id}/").status_code == 404
    assert client.delete(f"{URL}{deleted.id}/").status_code == 404
    assert APIClient().get(link).json()["code"] == "link.invalid"
    assert Recording.objects.get() == kept
    assert Transcript.objects.get() == kept_text
    assert {s.transcript_id for s in Segment.objects.all()} == {kept_text.id}
    assert {e.segment.transcript_id for e in Evidence.objects.all()} == {kept_text.id}
    assert (Analysis.objects.count(), ActionItem.objects.count()) == (1, 1)
    assert not Job.objects.filter(subject_id=deleted.id).exists()
    assert Job.objects.filter(subject_id=kept.id).exists()
    event = Event.objects.get(type="recording.deleted")
    assert event.data == {
        "meeting_id": str(meeting.id),
        "recording_id": str(deleted.id),
        "revision": meeting.revision + 1,
    }
    meeting.refresh_from_db()
    assert meeting.revision == event.data["revision"]
    run_jobs()
    assert not Export.objects.exists(), "an export that holds its words"
    assert [path.name for path in files_below(storage)] == [kept.stored_file.key.split("/")[-1]]


def test_bytes_that_another_meeting_uses_outlive_the_recording(
    actor: Actor, meeting: Meeting, storage: Path
) -> None:
    client = make.client(actor)
    first = send_bytes(client, meeting, JFK.read_bytes()).json()["recording"]
    send_bytes(client, make.meeting(organization=actor.organization), JFK.read_bytes())
    assert client.delete(f"{URL}{first['id']}/").status_code == 204
    assert StoredFile.objects.get().references == 1
    assert len(files_below(storage)) == 1


def test_recording_added_after_a_deletion_comes_last(actor: Actor, meeting: Meeting) -> None:
    client = make.client(actor)
    first, _second = make.recording(meeting=meeting), make.recording(meeting=meeting)
    client.delete(f"{URL}{first.id}/")
    added = send_bytes(client, meeting, JFK.read_bytes()).json()["recording"]
    assert added["position"] == 2


def test_viewer_deletes_no_recording(meeting: Meeting) -> None:
    viewer = make.actor(organization=meeting.organization, role=Role.VIEWER)
    recording = make.recording(meeting=meeting)
    assert make.client(viewer).delete(f"{URL}{recording.id}/").status_code == 403
