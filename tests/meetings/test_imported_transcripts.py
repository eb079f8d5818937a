"""Texts that are sent in without a recording."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from core.accounts.models import Role
from core.events.models import Event
from core.files.incoming import upload_folder
from meetings.importers.transcripts import read_transcript
from meetings.models import Analysis, Meeting, Segment, Speaker, Transcript
from tests import make
from tests.meetings.insight import DISCUSSION, address, send
from tests.run_jobs import run_jobs

TRANSCRIPTS = Path(__file__).resolve().parents[1] / "data" / "transcripts"
NOT_READABLE = "transcript.not_readable"

pytestmark = pytest.mark.django_db


def test_a_text_becomes_a_transcript_with_its_words_unchanged() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    client = make.client(actor)
    answer = send(client, meeting, *DISCUSSION, ("", "  Two  spaces\n"))
    assert answer.status_code == 201, answer.content
    made = answer.json()["transcript"]
    assert (made["engine"], made["recording"], made["version"]) == ("imported", None, 1)
    assert (made["segment_count"], made["language"]) == (7, "en")
    shown = client.get(address(meeting, "transcript")).json()["segments"]["results"]
    assert [s["text"] for s in shown] == [text for _, text in DISCUSSION] + ["  Two  spaces\n"]
    assert [s["speaker"] for s in shown[:3]] == ["Anna", "Ben", "Anna"]
    assert (shown[1]["start_ms"], shown[1]["end_ms"], shown[1]["words"]) == (10_000, 19_000, [])
    assert shown[-1]["speaker"] is None
    assert [s.label for s in Speaker.objects.order_by("id")] == ["Anna", "Ben", "Cara"]


def test_speakers_times_and_language_may_be_left_out() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization, language="sv")
    answer = make.client(actor).post(
        address(meeting, "transcript"), {"segments": [{"text": "Hej."}]}
    )
    assert answer.status_code == 201, answer.content
    segment = Segment.objects.get()
    assert (segment.speaker, segment.start_ms, segment.end_ms) == (None, None, None)
    assert Transcript.objects.get().language == "sv"


def test_answer_names_the_analysis_and_the_job_that_makes_it() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    client = make.client(actor)
    first, second = (send(client, meeting).json() for _ in range(2))
    run_jobs()
    assert Analysis.objects.count() == 2  # the events of the texts request no more
    texts = [first["transcript"]["id"], second["transcript"]["id"]]
    assert [first["analysis"]["transcripts"], second["analysis"]["transcripts"]] == [
        texts[:1],
        texts,
    ]
    assert second["analysis"]["status"] == "queued"
    statuses = [
        client.get(f"/api/v1/jobs/{a['job']['id']}/").json()["status"] for a in (first, second)
    ]
    assert statuses == ["cancelled", "succeeded"]
    shown = client.get(address(meeting)).json()
    assert shown["analysis"]["id"] == second["analysis"]["id"]


def test_the_house_hears_of_it_and_the_meeting_has_a_new_revision() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    send(make.client(actor), meeting)
    event = Event.objects.get(type="transcript.completed")
    assert (event.data["recording_id"], event.data["segment_count"]) == (None, len(DISCUSSION))
    meeting.refresh_from_db()
    assert meeting.revision == 2


def test_two_hundred_thousand_words_fit(django_assert_max_num_queries: Any) -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    message = "The committee talked about the budget of the coming year. " * 2
    body = {"segments": [{"speaker": "A", "text": message.strip()} for _ in range(10_000)]}
    client = make.client(actor)
    client.get("/api/v1/meetings/")
    with django_assert_max_num_queries(35):
        answer = client.post(address(meeting, "transcript"), body)
    assert answer.status_code == 201, answer.content
    assert answer.json()["transcript"]["word_count"] == 200_000


def test_the_same_text_sent_twice_with_a_key_is_kept_once() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    client = make.client(actor)
    body = {"segments": [{"text": "word " * 200} for _ in range(1200)]}  # over a megabyte
    answers = [
        client.post(address(meeting, "transcript"), body, headers={"Idempotency-Key": "k"})
        for _ in range(2)
    ]
    assert answers[0].status_code == 201, answers[0].content
    assert answers[0].json() == answers[1].json()
    assert Transcript.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "segments"),
        ({"segments": []}, "segments"),
        ({"segments": "hello"}, "segments"),
        ({"segments": [{}]}, "segments.0.text"),
        ({"segments": [{"text": 1.5, "colour": "red"}]}, "segments.0.colour"),
        ({"segments": [{"text": "a", "start_ms": 5, "end_ms": 4}]}, "segments.0.end_ms"),
        ({"segments": [{"text": "a", "start_ms": 5}]}, "segments.0.end_ms"),
        ({"segments": [{"text": "a", "start_ms": -1, "end_ms": 4}]}, "segments.0.start_ms"),
        ({"segments": [{"text": "a", "start_ms": 0, "end_ms": 2**31}]}, "segments.0.end_ms"),
        ({"segments": [{"text": "a", "speaker": "x" * 201}]}, "segments.0.speaker"),
        ({"segments": [{"text": "a"}], "language": "no such"}, "language"),
        ({"segments": [{"text": "a"}], "engine": "mine"}, "engine"),
    ],
)
def test_what_is_not_valid_is_refused_by_field(body: dict[str, object], field: str) -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    answer = make.client(actor).post(address(meeting, "transcript"), body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid"), answer.content
    assert field in answer.json()["fields"]
    assert not Transcript.objects.exists()


@pytest.mark.parametrize("text", ["a\\u0000b", "a\\ud800b"])
def test_text_that_cannot_be_stored_is_refused(text: str) -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    raw = json.dumps({"segments": [{"text": "TEXT"}]}).replace("TEXT", text)
    answer = make.client(actor).generic(
        "POST", address(meeting, "transcript"), raw, content_type="application/json"
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "text.invalid_character")


def test_a_body_over_the_limit_is_refused(settings: Settings) -> None:
    settings.TRANSCRIPT_MAX_BYTES = 1000
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    for headers in ({}, {"Idempotency-Key": "k"}):
        answer = make.client(actor).post(
            address(meeting, "transcript"), {"segments": [{"text": "x" * 1000}]}, headers=headers
        )
        assert (answer.status_code, answer.json()["code"]) == (413, "json.too_large")


def test_viewers_and_strangers_cannot_send_one() -> None:
    organization = make.organization()
    meeting = make.meeting(organization=organization)
    viewer = make.client(make.actor(organization=organization, role=Role.VIEWER))
    reader = make.client(make.actor(organization=organization, scopes=("meetings:read",)))
    refusals = [
        (answer.status_code, answer.json()["code"])
        for answer in (send(who, meeting) for who in (viewer, reader, make.client(make.actor())))
    ]
    assert refusals == [(403, "role.too_low"), (403, "scope.missing"), (404, "not_found")]


def post_file(
    client: APIClient,
    meeting: Meeting,
    data: bytes,
    content_type: str,
    query: str = "",
    **more: Any,
) -> Any:
    """The answer to a file in the body."""
    url = f"{address(meeting, 'transcript')}{query}"
    return client.generic("POST", url, data, content_type=content_type, **more)  # type: ignore[arg-type]  # bytes are right


def said_in(client: APIClient, meeting: Meeting) -> list[tuple[str | None, str]]:
    shown = client.get(address(meeting, "transcript")).json()
    return [(s["speaker"], s["text"]) for s in shown["segments"]["results"]]


@pytest.mark.parametrize(
    ("file", "content_type"),
    [
        ("01-colon.vtt", "text/vtt"),
        ("01-colon.txt", "text/plain; charset=utf-8"),
        ("02-srt-dots.srt", "application/x-subrip"),
        ("05-utf-16.srt", "application/x-subrip"),
        ("05-windows-1252.srt", "application/octet-stream"),
        ("06-rolling.vtt", "text/vtt"),
        ("07-teams.vtt", "text/vtt"),
        ("07-two-voices.vtt", "text/vtt"),
        ("08-whisper.json", "application/json"),
        ("08-whisperx.json", "application/json"),
        ("09-otter.txt", "text/plain"),
    ],
)
def test_a_file_as_body_and_as_form_comes_to_what_the_reader_finds(
    file: str, content_type: str
) -> None:
    actor = make.actor()
    client = make.client(actor)
    path = TRANSCRIPTS / file
    read = read_transcript(path.read_bytes(), filename=file)
    expected = [(segment.speaker or None, segment.text) for segment in read.segments]
    for is_form in (False, True):
        meeting = make.meeting(organization=actor.organization, language="sv")
        if is_form:
            with path.open("rb") as opened:
                form = {"file": opened, "language": "de"}
                answer = client.post(address(meeting, "transcript"), form, format="multipart")
        else:
            answer = post_file(client, meeting, path.read_bytes(), content_type, "?language=de")
        assert answer.status_code == 201, answer.content
        assert said_in(client, meeting) == expected
        sent = answer.json()["transcript"]
        assert (sent["language"], sent["segment_count"]) == ("de", len(expected))
        assert [n["code"] for n in sent["notes"]] == [str(note.code) for note in read.notes]


def test_the_language_of_a_file_goes_before_the_meetings() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization, language="sv")
    data = (TRANSCRIPTS / "06-rolling.vtt").read_bytes()
    answer = post_file(make.client(actor), meeting, data, "text/vtt")
    assert answer.json()["transcript"]["language"] == "en"


def test_words_of_a_file_are_stored_with_their_times() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    data = (TRANSCRIPTS / "06-rolling.vtt").read_bytes()
    post_file(make.client(actor), meeting, data, "text/vtt")
    for segment in Segment.objects.all():
        assert [text for _, _, text, _ in segment.words] == segment.text.split()
    shown = make.client(actor).get(address(meeting, "transcript")).json()
    assert shown["segments"]["results"][0]["words"][1] == {
        "start_ms": 400,
        "end_ms": 800,
        "text": "agreed",
        "probability": None,
    }


def test_what_cannot_be_read_in_a_file_is_named_in_the_notes() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    data = b"WEBVTT\n\nstray\n\n00:01.000 --> 00:02.000\nHello.\n"
    answer = post_file(make.client(actor), meeting, data, "text/vtt")
    assert answer.json()["transcript"]["notes"] == [
        {
            "code": "cues_skipped",
            "message": "The file holds what cannot be read; it was left out: line 3.",
            "details": {"where": ["line 3"]},
        }
    ]


@pytest.mark.parametrize(
    ("data", "content_type", "status", "code", "reason"),
    [
        (b"1\n00:00 -> 00:01\na\n", "application/x-subrip", 400, NOT_READABLE, "Line 1"),
        (b"<html>\n<p>Hello</p>\n", "text/plain", 400, NOT_READABLE, "Line 1"),
        (b"", "text/vtt", 400, NOT_READABLE, "no words"),
        (b"WEBVTT\n", "text/vtt", 400, NOT_READABLE, "no words"),
        (b"a\0b", "text/plain", 400, NOT_READABLE, "not text"),
        (b'{"text": "a", "mood": 1}', "application/json", 400, NOT_READABLE, "field mood"),
        (b"[7]", "application/json", 400, NOT_READABLE, "not an object"),
        (b"Bo: Hi.\n" * 200, "text/plain", 413, "upload.too_large", "larger"),
        (b"Bo: Hi.\n", "multipart/form-data", 400, "upload.bad_form", "file"),
    ],
)
def test_a_file_that_is_refused_leaves_nothing(
    settings: Settings, data: bytes, content_type: str, status: int, code: str, reason: str
) -> None:
    settings.TRANSCRIPT_MAX_BYTES = 1000
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    answer = post_file(make.client(actor), meeting, data, content_type)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content
    assert reason in answer.json()["detail"]
    assert not Transcript.objects.exists()
    assert not any(upload_folder().iterdir())


def test_a_language_that_is_no_tag_is_refused_by_field() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    for content_type, data in (
        ("text/plain", b"Bo: Hi.\n"),
        ("application/json", b'{"text": "a"}'),
    ):
        answer = post_file(make.client(actor), meeting, data, content_type, "?language=no+such")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid"), answer.content
        assert "language" in answer.json()["fields"]
    assert not Transcript.objects.exists()


def test_the_same_file_sent_twice_with_a_key_is_kept_once() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    client = make.client(actor)
    answers = [
        post_file(client, meeting, b"Bo: Hi.\n", "text/plain", HTTP_IDEMPOTENCY_KEY="k")
        for _ in range(2)
    ]
    assert answers[0].status_code == 201, answers[0].content
    assert answers[0].json() == answers[1].json()
    assert Transcript.objects.count() == 1


def test_what_the_api_shows_can_be_sent_in_again() -> None:
    actor = make.actor()
    client = make.client(actor)
    first, second = (make.meeting(organization=actor.organization) for _ in range(2))
    send(client, first)
    shown = client.get(address(first, "transcript")).json()
    answer = client.post(address(second, "transcript"), shown)
    assert answer.status_code == 201, answer.content
    assert said_in(client, second) == said_in(client, first)
