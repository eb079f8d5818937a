"""A meeting of several recordings and texts is read, analysed and kept as one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from rest_framework.test import APIClient

from core.accounts.actor import Actor
from meetings.analysis.engines import ENGINE
from meetings.models import Analysis, Decision, Meeting, Recording, Summary, Transcript
from meetings.services import clock
from meetings.services.transcripts import publish_completed
from tests import make
from tests.meetings.insight import address, find_by, send
from tests.meetings.recordings import tone
from tests.run_jobs import run_jobs
from tests.storage import files_below

pytestmark = pytest.mark.django_db

APRIL = "We decided to close the old shop in April."
MAY = "We agreed that every customer will get a letter in May."
NINE = datetime(2026, 11, 30, 9, tzinfo=UTC)


@pytest.fixture
def actor() -> Actor:
    return make.actor()


@pytest.fixture
def client(actor: Actor) -> APIClient:
    return make.client(actor)


@pytest.fixture
def meeting(actor: Actor) -> Meeting:
    return make.meeting(organization=actor.organization)


def recordings(meeting: Meeting, number: int = 2) -> list[Recording]:
    """Recordings of 11 seconds each, whose texts are still to come."""
    return [make.recording(meeting=meeting, with_job=False) for _ in range(number)]


def complete(recording: Recording, *texts: str) -> Transcript:
    """A new version of its text, with all that follows from it."""
    transcript = make.transcript(recording=recording, texts=texts)
    with transaction.atomic():
        publish_completed(transcript, actor_id=None)
    run_jobs()
    return transcript


def read(client: APIClient, meeting: Meeting, query: str = "") -> Any:
    answer = client.get(address(meeting, "transcript") + query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def texts_in(page: Any) -> list[str]:
    return [segment["text"] for segment in page["segments"]["results"]]


def seconds(*offsets: int) -> list[int]:
    return [1000 * offset for offset in offsets]


# --- One text, on one clock -----------------------------------------------------------------------


def test_transcript_and_analysis_are_of_all_recordings_on_one_clock(
    client: APIClient, meeting: Meeting
) -> None:
    first, second = recordings(meeting)
    complete(second, "Good afternoon.", MAY)
    complete(first, "Good morning.", APRIL)

    page = read(client, meeting)
    assert texts_in(page) == ["Good morning.", APRIL, "Good afternoon.", MAY]
    assert [t["offset_ms"] for t in page["transcripts"]] == seconds(0, 11)
    assert page["transcript"] == page["transcripts"][0]
    last = page["segments"]["results"][3]
    assert (last["recording"], last["position"]) == (str(second.id), 1)
    assert (last["start_ms"], last["end_ms"]) == (12_000, 12_900)
    assert (last["words"][0]["start_ms"], last["words"][0]["end_ms"]) == (12_000, 12_900)

    found = client.get(address(meeting)).json()
    assert found["analysis"]["transcripts"] == [t["id"] for t in page["transcripts"]]
    quotes = {d["text"]: d["evidence"][0] for d in found["decisions"]}
    assert [(quotes[t]["recording"], quotes[t]["start_ms"]) for t in (APRIL, MAY)] == [
        (str(first.id), 1_000),
        (str(second.id), 12_000),
    ]
    assert found["topics"][-1]["end_ms"] == 12_900
    assert {s["turns_total"] for s in found["sections"]} == {4}

    whole = client.get(f"/api/v1/meetings/{meeting.id}/").json()
    assert whole["transcript"]["segments"] == page["segments"]["results"]
    assert whole["transcripts"] == page["transcripts"]
    assert whole["analysis"] == found
    assert len(whole["people"]) == 2


def test_recording_is_named_until_its_text_is_included_and_what_people_judged_stays(
    client: APIClient, meeting: Meeting
) -> None:
    first, second = recordings(meeting)
    complete(first, APRIL)
    missing = [str(second.id)]
    found = client.get(address(meeting)).json()
    assert found["recordings_not_included"] == missing
    assert read(client, meeting)["recordings_not_included"] == missing
    assert (
        client.get(f"/api/v1/meetings/{meeting.id}/").json()["recordings_not_included"] == missing
    )
    decision = found["decisions"][0]
    client.patch(f"/api/v1/decisions/{decision['id']}/", {"text": "The old shop closes."})

    complete(second, MAY)

    found = client.get(address(meeting)).json()
    assert (found["analysis"]["version"], found["recordings_not_included"]) == (2, [])
    assert {(d["text"], d["status"]) for d in found["decisions"]} == {
        ("The old shop closes.", "edited"),
        (MAY, "draft"),
    }
    assert read(client, meeting)["recordings_not_included"] == []


def test_analysis_names_a_recording_whose_text_it_has_not_read_yet(
    client: APIClient, meeting: Meeting
) -> None:
    first, second = recordings(meeting)
    complete(first, APRIL)
    make.transcript(recording=second, texts=(MAY,))
    assert client.get(address(meeting)).json()["recordings_not_included"] == [str(second.id)]
    assert read(client, meeting)["recordings_not_included"] == []


def test_newer_version_of_one_recording_replaces_its_part_alone(
    client: APIClient, meeting: Meeting
) -> None:
    first, second = recordings(meeting)
    complete(first, "We decided to close the old shot.")
    complete(second, MAY)
    complete(first, APRIL)
    assert texts_in(read(client, meeting)) == [APRIL, MAY]
    found = client.get(address(meeting)).json()
    assert {d["text"] for d in found["decisions"]} == {APRIL, MAY}
    old = Transcript.objects.get(recording=first, version=1)
    assert texts_in(read(client, meeting, f"?transcript={old.id}")) != [APRIL]


def test_one_recording_is_chosen(client: APIClient, meeting: Meeting) -> None:
    first, second = recordings(meeting)
    complete(first, APRIL)
    complete(second, MAY)
    for recording, text in ((first, APRIL), (second, MAY)):
        assert texts_in(read(client, meeting, f"?recording={recording.id}")) == [text]
        found = client.get(f"{address(meeting)}?recording={recording.id}").json()
        assert [d["text"] for d in found["decisions"]] == [text]
        begun = {topic["start_ms"] for topic in found["topics"]}
        assert begun <= {recording.offset_ms}
    assert client.get(f"{address(meeting)}?recording={meeting.id}").status_code == 404


# --- The clock ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("starts_at", "started_after", "expected"),
    [
        (None, (None, None, None), (0, 10, 20)),
        (None, (0, 60, None), (0, 60, 70)),
        (None, (None, 60, 90), (0, 10, 40)),
        (None, (60, 0, 30), (60, 0, 30)),
        (0, (None, 60, None), (0, 60, 70)),
        (0, (5, 60, None), (0, 55, 65)),  # a single recording has the times of its file
        (None, (None, 0, -30), (20, 30, 0)),
        (None, (0, 4, None), (0, 4, 14)),
    ],
)
def test_offsets_come_from_start_times_or_the_parts_before(
    starts_at: int | None, started_after: tuple[int | None, ...], expected: tuple[int, ...]
) -> None:
    parts: list[clock.Part] = [
        Recording(duration_ms=10_000, started_at=None if s is None else NINE + timedelta(seconds=s))
        for s in started_after
    ]
    meeting_starts_at = None if starts_at is None else NINE + timedelta(seconds=starts_at)
    assert clock.offsets_of(parts, meeting_starts_at) == seconds(*expected)


def test_start_time_is_given_at_upload_and_orders_the_meeting(
    client: APIClient, meeting: Meeting, storage: Path
) -> None:
    url = f"/api/v1/meetings/{meeting.id}/recordings/"

    def sent(hertz: float, started_at: str) -> Any:
        body = tone(hertz=hertz)
        caller: Any = client
        return caller.generic(
            "POST", f"{url}?started_at={started_at}", body, "application/octet-stream"
        )

    later = sent(440, "2026-11-30T11:30:00+01:00").json()["recording"]  # the + is sent bare
    assert (later["started_at"], later["offset_ms"]) == ("2026-11-30T10:30:00Z", 0)
    earlier = sent(550, "2026-11-30T09:00:00Z").json()["recording"]
    assert earlier["offset_ms"] == 0
    shown = client.get(f"/api/v1/recordings/{later['id']}/").json()
    assert (shown["position"], shown["offset_ms"]) == (0, 90 * 60_000)

    meeting.time_zone = "+02:00"
    meeting.save()
    assert sent(770, "2026-11-30 11:30").json()["recording"]["offset_ms"] == 30 * 60_000

    kept = len(files_below(storage))
    for started_at, code in (
        ("yesterday", "upload.bad_form"),
        ("0001-01-01T00:00:00Z", "upload.bad_form"),
        ("2026-01-01T00:00:00Z", "recording.starts_too_far_apart"),
    ):
        refused = sent(660, started_at)
        assert (refused.status_code, refused.json()["code"]) == (400, code)
    assert (Recording.objects.count(), len(files_below(storage))) == (3, kept)


def test_changed_start_of_the_meeting_moves_what_began_at_a_known_time(
    client: APIClient, meeting: Meeting
) -> None:
    recordings(meeting, 1)
    second = make.recording(meeting=meeting, started_at=NINE + timedelta(minutes=10))
    assert second.offset_ms == 11_000
    change = {"starts_at": NINE.isoformat()}
    assert client.patch(f"/api/v1/meetings/{meeting.id}/", change).status_code == 200
    second.refresh_from_db()
    assert second.offset_ms == 600_000
    change = {"starts_at": "2026-01-01T00:00:00Z"}
    answer = client.patch(f"/api/v1/meetings/{meeting.id}/", change)
    assert (answer.status_code, answer.json()["code"]) == (400, "recording.starts_too_far_apart")
    meeting.refresh_from_db()
    assert meeting.starts_at == NINE


# --- Pages ----------------------------------------------------------------------------------------


def walk(client: APIClient, page: Any, direction: str = "next") -> list[str]:
    """The texts of all further pages."""
    found: list[str] = []
    while page["segments"][direction] is not None:
        page = client.get(page["segments"][direction]).json()
        found = found + texts_in(page) if direction == "next" else texts_in(page) + found
    return found


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_pages_run_over_all_parts_in_both_directions(
    size: int, client: APIClient, meeting: Meeting
) -> None:
    for number, recording in enumerate(recordings(meeting, 3)):
        make.transcript(recording=recording, texts=(f"{number}a", f"{number}b")[: number or 2])
    every = ["0a", "0b", "1a", "2a", "2b"]
    page = read(client, meeting, f"?page_size={size}")
    assert texts_in(page) + walk(client, page) == every
    while page["segments"]["next"]:
        page = client.get(page["segments"]["next"]).json()
    assert walk(client, page, "previous") + texts_in(page) == every


def test_pages_go_on_while_parts_arrive_and_are_replaced(
    client: APIClient, meeting: Meeting
) -> None:
    first, second, third = recordings(meeting, 3)
    make.transcript(recording=second, texts=("2a", "2b"))
    page = read(client, meeting, "?page_size=1")
    assert texts_in(page) == ["2a"]

    make.transcript(recording=first, texts=("1a", "1b"))  # before the place that was read
    make.transcript(recording=second, texts=("2x", "2y"))  # a newer version of what was begun
    make.transcript(recording=third, texts=("3a",))
    assert walk(client, page) == ["2b", "3a"]

    send(client, meeting, ("", "all of it"), replaces="all")
    assert walk(client, page) == ["2b"]
    assert texts_in(read(client, meeting)) == ["all of it"]

    client.delete(f"/api/v1/recordings/{second.id}/")
    gone = client.get(page["segments"]["next"])
    assert (gone.status_code, gone.json()["code"]) == (400, "cursor.invalid")


def test_cursor_of_another_meeting_is_refused(client: APIClient, meeting: Meeting) -> None:
    other = make.meeting(organization=meeting.organization)
    pages = []
    for held in (meeting, other):
        make.transcript(recording=make.recording(meeting=held))
        pages.append(read(client, held, "?page_size=1")["segments"]["next"])
    cursor = pages[0].partition("cursor=")[2]
    answer = client.get(f"{address(other, 'transcript')}?cursor={cursor}")
    assert (answer.status_code, answer.json()["code"]) == (400, "cursor.invalid")


# --- Texts sent in --------------------------------------------------------------------------------


def test_text_sent_in_is_one_more_part(client: APIClient, meeting: Meeting) -> None:
    (recording,) = recordings(meeting, 1)
    complete(recording, "heard")
    send(client, meeting, ("", "first"))
    sent = send(client, meeting, ("", "second")).json()["transcript"]
    assert (sent["version"], sent["offset_ms"]) == (2, 20_000)
    added = make.recording(meeting=meeting, with_job=False)
    make.transcript(recording=added, texts=("heard later",))
    page = read(client, meeting)
    assert texts_in(page) == ["heard", "first", "second", "heard later"]
    assert [t["offset_ms"] for t in page["transcripts"]] == seconds(0, 11, 20, 29)


@pytest.mark.parametrize(
    ("replaces", "expected"),
    [
        ("recordings", ["new", "old text"]),
        ("texts", ["heard", "new", "heard too"]),
        ("all", ["new"]),
    ],
)
def test_text_takes_the_place_of_what_it_replaces(
    replaces: str, expected: list[str], client: APIClient, meeting: Meeting
) -> None:
    (first,) = recordings(meeting, 1)
    complete(first, "heard")
    send(client, meeting, ("", "old text"))
    (second,) = recordings(meeting, 1)
    complete(second, "heard too")

    sent = send(client, meeting, ("", "new"), replaces=replaces).json()["transcript"]
    run_jobs()

    assert texts_in(read(client, meeting)) == expected
    heard = read(client, meeting, f"?recording={first.id}")
    assert texts_in(heard) == ["heard"], "a replaced text is still there to be read"
    shown = client.get(f"/api/v1/recordings/{first.id}/").json()
    assert shown["replaced_by"] == (None if replaces == "texts" else sent["id"])
    assert Analysis.objects.latest("version").transcript_ids == [
        t.id for t in Transcript.objects.filter(meeting=meeting).current().in_order()
    ]


def test_recording_that_was_replaced_is_not_missing(client: APIClient, meeting: Meeting) -> None:
    (recording,) = recordings(meeting, 1)
    send(client, meeting, ("", "all"), replaces="recordings")
    run_jobs()
    assert read(client, meeting)["recordings_not_included"] == []
    assert client.get(address(meeting)).json()["recordings_not_included"] == []
    complete(recording, "heard at last")
    assert texts_in(read(client, meeting)) == ["all"]
    assert Analysis.objects.count() == 1
    url = address(meeting, "transcript")
    vtt = "WEBVTT\n\n00:00.000 --> 00:02.000\nAnna: from a file\n"
    caller: Any = client
    answer = caller.generic("POST", f"{url}?replaces=all", vtt, "text/vtt")
    assert (answer.status_code, texts_in(read(client, meeting))) == (201, ["from a file"])
    answer = caller.generic("POST", f"{url}?replaces=none", vtt, "text/vtt")
    assert (answer.status_code, "replaces" in answer.json()["fields"]) == (400, True)
    answer = send(client, meeting, ("", "x"), replaces="everything")
    assert (answer.status_code, "replaces" in answer.json()["fields"]) == (400, True)


# --- Deleting one ---------------------------------------------------------------------------------


def test_deleted_recording_leaves_the_words_and_the_analysis_of_the_others(
    client: APIClient, meeting: Meeting
) -> None:
    first, second = recordings(meeting)
    complete(first, APRIL)
    complete(second, MAY)
    for text in (APRIL, MAY):
        item = Decision.objects.get(text=text)
        client.patch(f"/api/v1/decisions/{item.id}/", {"status": "confirmed"})

    assert client.delete(f"/api/v1/recordings/{first.id}/").status_code == 204
    assert not any("April" in summary.text for summary in Summary.objects.all())
    run_jobs()

    page = read(client, meeting)
    assert (texts_in(page), page["transcript"]["offset_ms"]) == ([MAY], 0)
    found = client.get(address(meeting)).json()
    assert found["analysis"]["transcripts"] == [page["transcript"]["id"]]
    assert [(d["text"], d["status"]) for d in found["decisions"]] == [(MAY, "confirmed")]
    client.delete(f"/api/v1/recordings/{second.id}/")
    run_jobs()
    assert client.get(address(meeting)).json()["code"] == "analysis.not_ready"
    assert not Decision.objects.exists()


def test_recording_deleted_while_it_is_analysed_leaves_no_item_of_it(
    client: APIClient, meeting: Meeting
) -> None:
    first, second = recordings(meeting)
    complete(second, MAY)
    transcript = make.transcript(recording=first, texts=(APRIL,))
    own = ENGINE.find
    deleted: list[int] = []

    def find(section: Any, discussion: Any) -> Any:
        if not deleted:
            deleted.append(client.delete(f"/api/v1/recordings/{first.id}/").status_code)
        return own(section, discussion)

    with transaction.atomic():
        publish_completed(transcript, actor_id=None)
    with find_by(find):
        run_jobs()
    assert deleted == [204]
    found = client.get(address(meeting)).json()
    assert (found["analysis"]["status"], found["recordings_not_included"]) == ("succeeded", [])
    assert [d["text"] for d in found["decisions"]] == [MAY]
