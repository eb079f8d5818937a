"""Transcripts read page by page."""

from __future__ import annotations

import pytest

from core.http.renderers import to_json
from meetings import queries
from meetings.api.transcripts import SegmentSerializer, shown_segments
from meetings.text.notes import Note, NoteCode
from tests import make

pytestmark = pytest.mark.django_db


def test_a_transcript_is_read_page_by_page_with_times_and_words() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    texts = tuple(f"Sentence {number}." for number in range(45))
    transcript = make.transcript(recording=make.recording(meeting=meeting), texts=texts)
    client = make.client(actor)
    page = client.get(f"/api/v1/meetings/{meeting.id}/transcript/").json()
    assert page["transcript"]["segment_count"] == 45
    assert page["segments"]["results"][1] == {
        "id": page["segments"]["results"][1]["id"],
        "transcript": str(transcript.id),
        "recording": str(transcript.recording_id),
        "position": 1,
        "speaker": transcript.speakers.get().label,
        "start_ms": 1000,
        "end_ms": 1900,
        "text": "Sentence 1.",
        "confidence": None,
        "words": [{"start_ms": 1000, "end_ms": 1900, "text": "Sentence 1.", "probability": 0.9}],
    }
    seen = []
    while True:
        seen += [segment["text"] for segment in page["segments"]["results"]]
        if page["segments"]["next"] is None:
            break
        page = client.get(page["segments"]["next"]).json()
    assert seen == list(texts)


def test_notes_are_shown_with_their_message() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    transcript = make.transcript(recording=make.recording(meeting=meeting))
    note = Note(NoteCode.TRACKS_WITHOUT_SPEECH, {"tracks": [1, 3]})
    transcript.notes = [note.to_json()]
    transcript.save()
    page = make.client(actor).get(f"/api/v1/meetings/{meeting.id}/transcript/").json()
    assert page["transcript"]["notes"] == [
        {
            "code": "tracks_without_speech",
            "message": "Audio tracks without speech were left out: 1, 3.",
            "details": {"tracks": [1, 3]},
        }
    ]


def test_segments_are_shown_as_the_schema_says() -> None:
    meeting = make.meeting()
    transcript = make.transcript(recording=make.recording(meeting=meeting))
    shown = shown_segments(queries.segment_rows(transcript), [transcript])
    described = SegmentSerializer(shown, many=True)
    assert to_json(described.data) == to_json(shown)


def test_without_a_transcript_there_is_a_404_that_says_so() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    make.recording(meeting=meeting)
    client = make.client(actor)
    for query in ("", "?recording=x", f"?recording={meeting.id}"):
        answer = client.get(f"/api/v1/meetings/{meeting.id}/transcript/{query}")
        assert (answer.status_code, answer.json()["code"]) == (404, "transcript.not_ready")


def test_a_recording_is_read_with_its_job() -> None:
    actor = make.actor()
    recording = make.recording(meeting=make.meeting(organization=actor.organization))
    found = make.client(actor).get(f"/api/v1/recordings/{recording.id}/").json()
    assert found["job"]["kind"] == "meetings.transcribe_recording"
    assert (found["meeting"], found["duration_ms"]) == (str(recording.meeting_id), 11_000)


def test_a_job_is_watched_and_cancelled() -> None:
    actor = make.actor()
    recording = make.recording(meeting=make.meeting(organization=actor.organization))
    client = make.client(actor)
    url = f"/api/v1/jobs/{recording.job_id}/"
    job = client.get(url).json()
    assert (job["status"], job["progress"], job["error"]) == ("queued", 0.0, None)
    assert client.post(f"{url}cancel/").json()["status"] == "cancelled"
    again = client.post(f"{url}cancel/")
    assert (again.status_code, again.json()["code"]) == (409, "job.has_ended")
