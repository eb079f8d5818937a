"""A file is of all recordings of a meeting, or of the one that is chosen."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from rest_framework.test import APIClient

from meetings.models import Meeting, Recording
from meetings.services import analysis as analysis_services
from tests import make
from tests.exports.test_exports_api import ask, content, finished
from tests.run_jobs import run_jobs

pytestmark = pytest.mark.django_db

APRIL = "We decided to close the old shop in April."
MAY = "We agreed that every customer will get a letter in May."


@pytest.fixture
def meeting() -> Meeting:
    return make.meeting(organization=make.organization(), title="Shops")


@pytest.fixture
def client(meeting: Meeting) -> APIClient:
    return make.client(make.actor(organization=meeting.organization))


@pytest.fixture
def recordings(meeting: Meeting) -> list[Recording]:
    """Two recordings of 11 seconds with a decision in each, analysed."""
    rows = [make.recording(meeting=meeting, with_job=False) for _ in range(2)]
    make.transcript(recording=rows[0], texts=("Good morning.", APRIL))
    make.transcript(recording=rows[1], texts=("Good afternoon.", MAY))
    analysis_services.request_analysis(meeting=meeting)
    run_jobs()
    return rows


def made(client: APIClient, meeting: Meeting, kind: str, **options: Any) -> str:
    export = finished(client, meeting, kind, **options)
    assert export["status"] == "succeeded", export
    return content(APIClient().get(export["download_url"])).decode()


def test_file_is_of_all_recordings_on_the_clock_of_the_meeting(
    client: APIClient, meeting: Meeting, recordings: list[Recording]
) -> None:
    minutes = orjson.loads(made(client, meeting, "json"))
    assert [(s["text"], s["start_ms"]) for s in minutes["transcript"]] == [
        ("Good morning.", 0),
        (APRIL, 1_000),
        ("Good afternoon.", 11_000),
        (MAY, 12_000),
    ]
    assert [(d["text"], d["segment"]) for d in minutes["decisions"]] == [(APRIL, 1), (MAY, 3)]
    assert minutes["details"]["duration_ms"] == 22_000
    captions = made(client, meeting, "srt")
    assert "00:00:12,000 --> " in captions
    # The unnamed speaker of the second recording may be another person: a paragraph of its own.
    assert f"{APRIL}\n" in made(client, meeting, "txt")


def test_file_of_one_recording_has_its_words_alone_timed_from_its_start(
    client: APIClient, meeting: Meeting, recordings: list[Recording]
) -> None:
    chosen = str(recordings[1].id)
    minutes = orjson.loads(made(client, meeting, "json", recording=chosen))
    assert [(s["text"], s["start_ms"]) for s in minutes["transcript"]] == [
        ("Good afternoon.", 0),
        (MAY, 1_000),
    ]
    assert [(d["text"], d["segment"]) for d in minutes["decisions"]] == [(MAY, 1)]
    assert minutes["details"]["duration_ms"] == 11_000
    assert "April" not in str(minutes)
    assert "00:00:01,000 --> " in made(client, meeting, "srt", recording=chosen)


def test_recording_of_another_meeting_cannot_be_chosen(client: APIClient, meeting: Meeting) -> None:
    for other in (make.meeting(organization=meeting.organization), make.meeting()):
        answer = ask(client, meeting, recording=str(make.recording(meeting=other).id))
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
        assert "There is no such thing here." in str(answer.json()["fields"])
