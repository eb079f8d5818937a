"""A client asks for a file of a meeting, watches it being made, and fetches it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core import mail
from rest_framework.test import APIClient

from core.accounts.actor import Actor
from core.accounts.models import Role
from core.db.clock import database_now
from core.events.models import Event
from core.jobs.models import Job
from core.jobs.services import requeue_job
from core.notifications.models import Notification
from exports.models import Export
from exports.renderers import formats, plain_text
from exports.renderers.formats import MEDIA_TYPES, NAMES
from exports.renderers.process import TooMuch
from exports.services.exports import NoTimesForCaptions
from meetings.importers.transcripts import read_transcript
from meetings.models import ActionItem, Meeting, Transcript
from tests import make
from tests.run_jobs import run_jobs

pytestmark = pytest.mark.django_db

ADDRESS = "/api/v1/exports/"


@pytest.fixture
def who() -> Actor:
    return make.actor()


@pytest.fixture
def client(who: Actor) -> APIClient:
    return make.client(who)


@pytest.fixture
def meeting(who: Actor) -> Meeting:
    held = make.meeting(organization=who.organization, title="Monday", organizer=who.user)
    make.analysis(transcript=make.transcript(recording=make.recording(meeting=held)))
    Job.objects.all().delete()
    return held


def ask(client: APIClient, meeting: Meeting, kind: str = "txt", **options: Any) -> Any:
    body = {"meeting": str(meeting.id), "format": kind, "options": options}
    return client.post(ADDRESS, body)


def finished(client: APIClient, meeting: Meeting, kind: str = "txt", **options: Any) -> Any:
    export_id = ask(client, meeting, kind, **options).json()["export"]["id"]
    run_jobs()
    return client.get(f"{ADDRESS}{export_id}/").json()


def content(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


@pytest.mark.parametrize("kind", NAMES)
def test_every_format_is_asked_for_made_and_fetched_without_signing_in(
    kind: str, client: APIClient, meeting: Meeting
) -> None:
    answer = ask(client, meeting, kind)
    assert answer.status_code == 202
    asked = answer.json()
    assert asked["export"]["status"] == "queued"
    assert asked["export"]["download_url"] is None
    assert asked["job"]["kind"] == "exports.render_export"
    assert asked["estimated_seconds"] > 0

    run_jobs()

    export = client.get(f"{ADDRESS}{asked['export']['id']}/").json()
    assert export["status"] == "succeeded", export["error"]
    assert export["progress"] == 1.0
    file = APIClient().get(export["download_url"])
    assert file.status_code == 200
    assert file["Content-Type"] == MEDIA_TYPES[kind]
    assert len(content(file)) == export["size_bytes"] > 0
    assert export["filename"] == f"Monday.{kind}"


def test_a_file_holds_all_that_was_said_and_found(client: APIClient, meeting: Meeting) -> None:
    note = {"code": "encoding_recognised", "details": {"encoding": "windows-1252"}}
    Transcript.objects.filter(meeting=meeting).update(notes=[note])
    url = finished(client, meeting)["download_url"]

    text = content(APIClient().get(url)).decode()

    for words in (
        "Monday",
        "The file was read as windows-1252.",
        "Hello.",
        "Bye.",
        "They met.",
        "Blue it is.",
        "Paint it blue.",
    ):
        assert words in text


def test_recordings_without_a_text_are_named_in_the_file_and_in_the_notes_of_the_export(
    client: APIClient, meeting: Meeting
) -> None:
    later = make.recording(meeting=meeting, filename="afternoon.mp3", with_job=False)
    message = "Recordings without a text yet: afternoon.mp3."
    export = finished(client, meeting)
    notes = [{"code": "recordings_not_included", "message": message}]
    assert export["notes"] == {"transcript": notes}
    assert message in content(APIClient().get(export["download_url"])).decode()

    document = content(APIClient().get(finished(client, meeting, "json")["download_url"]))
    assert json.loads(document)["notes"] == notes
    assert read_transcript(document).segments  # such a file can be sent in again

    included = str(meeting.recordings.exclude(id=later.id).get().id)
    assert finished(client, meeting, recording=included)["notes"] == {}


def test_the_same_request_of_an_unchanged_meeting_answers_with_the_same_file_at_once(
    client: APIClient, meeting: Meeting
) -> None:
    first = finished(client, meeting)

    again = ask(client, meeting)

    assert again.status_code == 200
    assert again.json()["export"]["id"] == first["id"]
    assert again.json()["export"]["download_url"]
    assert again.json()["estimated_seconds"] == 0
    assert ask(client, meeting, timestamps="none").status_code == 202


def test_the_same_request_while_it_is_being_made_joins_it(
    client: APIClient, meeting: Meeting
) -> None:
    first, second = ask(client, meeting), ask(client, meeting)

    assert second.status_code == 202
    assert second.json()["export"]["id"] == first.json()["export"]["id"]
    assert Job.objects.count() == 1


def test_a_changed_meeting_gets_a_new_file(client: APIClient, meeting: Meeting) -> None:
    first = finished(client, meeting)
    client.patch(f"/api/v1/meetings/{meeting.id}/", {"title": "Tuesday"})

    second = finished(client, meeting)

    assert second["id"] != first["id"]
    assert second["filename"] == "Tuesday.txt"
    assert second["revision"] > first["revision"]


def test_an_owner_with_a_new_name_gets_a_new_file(
    client: APIClient, who: Actor, meeting: Meeting
) -> None:
    ActionItem.objects.update(owner=who.user)
    Meeting.objects.update(organizer=None)
    first = finished(client, meeting)
    who.user.name = "Grace Hopper"
    who.user.save()

    second = finished(client, meeting)

    assert second["id"] != first["id"]
    assert "Grace Hopper" in content(APIClient().get(second["download_url"])).decode()
    assert ask(client, meeting).json()["export"]["id"] == second["id"]


def test_the_jobs_of_a_meeting_are_those_of_its_exports_too(
    client: APIClient, who: Actor, meeting: Meeting
) -> None:
    job = ask(client, meeting).json()["job"]["id"]
    ask(client, make.meeting(organization=who.organization))

    found = client.get("/api/v1/jobs/", {"meeting": str(meeting.id)}).json()["results"]

    assert [row["id"] for row in found] == [job]


def test_a_change_between_asking_and_making_is_in_the_file(
    client: APIClient, meeting: Meeting
) -> None:
    asked = ask(client, meeting).json()["export"]
    client.patch(f"/api/v1/meetings/{meeting.id}/", {"title": "Tuesday"})
    run_jobs()

    export = client.get(f"{ADDRESS}{asked['id']}/").json()

    assert export["revision"] == asked["revision"] + 1
    assert ask(client, meeting).json()["export"]["id"] == asked["id"]


def test_an_idempotency_key_keeps_no_link(client: APIClient, meeting: Meeting) -> None:
    finished(client, meeting)
    body = {"meeting": str(meeting.id), "format": "txt", "options": {}}
    first = client.post(ADDRESS, body, headers={"Idempotency-Key": "k"})
    again = client.post(ADDRESS, body, headers={"Idempotency-Key": "k"})

    shown = first.json()["export"]
    assert shown["download_url"]
    assert again.json()["export"] == shown | {"download_url": None, "expires_at": None}
    assert again.json()["job"]["subject_id"] == shown["id"]


def test_labels_are_in_the_language_of_the_meeting_unless_another_is_chosen(
    client: APIClient, meeting: Meeting
) -> None:
    client.patch(f"/api/v1/meetings/{meeting.id}/", {"language": "hu"})

    own = finished(client, meeting, "md")
    other = finished(client, meeting, "md", language="de")

    assert "## Döntések" in content(APIClient().get(own["download_url"])).decode()
    assert "## Beschlüsse" in content(APIClient().get(other["download_url"])).decode()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sections", []),
        ("sections", ["weather"]),
        ("language", "xx"),
        ("timestamps", "often"),
        ("page_size", "a0"),
        ("formats", ["zip"]),
        ("maximum_characters_per_row", 3),
        ("maximum_rows_per_caption", 0),
        ("minimum_duration", 9.5),
        ("colour", "blue"),
    ],
)
def test_an_option_that_there_is_not_is_refused(
    field: str, value: object, client: APIClient, meeting: Meeting
) -> None:
    chosen: dict[str, Any] = {field: value}
    answer = ask(client, meeting, **chosen)

    assert answer.status_code == 400
    assert any(name.startswith(f"options.{field}") for name in answer.json()["fields"])
    assert not Export.objects.exists()


def test_a_format_that_there_is_not_is_refused(client: APIClient, meeting: Meeting) -> None:
    assert ask(client, meeting, "exe").status_code == 400


def test_nobody_makes_a_file_of_a_meeting_that_they_may_not_see(meeting: Meeting) -> None:
    stranger = make.client(make.actor())

    assert ask(stranger, meeting).status_code == 400
    assert not Export.objects.exists()


def test_a_viewer_fetches_files_and_asks_for_none(who: Actor, meeting: Meeting) -> None:
    viewer = make.client(make.actor(organization=who.organization, role=Role.VIEWER))
    export = make.export(meeting=meeting)

    assert viewer.get(f"{ADDRESS}{export.id}/").json()["download_url"]
    assert ask(viewer, meeting).status_code == 403
    assert viewer.delete(f"{ADDRESS}{export.id}/").status_code == 403


def test_captions_of_a_text_without_times_are_refused(client: APIClient, who: Actor) -> None:
    untimed = make.meeting(organization=who.organization)
    client.post(
        f"/api/v1/meetings/{untimed.id}/transcript/",
        {"language": "en", "segments": [{"speaker": "Anna", "text": "Good morning."}]},
    )

    for answer in (ask(client, untimed, "srt"), ask(client, untimed, "zip", formats=["vtt"])):
        assert answer.status_code == 409
        assert answer.json()["code"] == "export.no_times"
    assert not Export.objects.exists()
    bundle = finished(client, untimed, "zip", formats=["txt", "srt"])
    assert bundle["notes"] == {"left_out": ["srt"]}


def test_file_that_has_no_room_fails_once_with_a_reason(
    client: APIClient, meeting: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_room(*_arguments: Any) -> None:
        raise TooMuch

    monkeypatch.setattr(formats, "render_apart", without_room)

    export = finished(client, meeting, "pdf")

    assert export["error"]["code"] == "export.too_large"
    job = Job.objects.get(kind="exports.render_export")
    assert (job.status, job.attempts) == ("failed", 1)


def test_who_asked_is_told_that_the_file_is_ready(
    client: APIClient, who: Actor, meeting: Meeting
) -> None:
    export = finished(client, meeting)

    told = Notification.objects.get(kind="export.completed")
    assert told.user == who.user
    assert told.title == "Ready: Monday.txt"
    assert f"/api/v1/exports/{export['id']}/" in told.text
    assert [letter.subject for letter in mail.outbox] == ["Ready: Monday.txt"]
    assert "/file/" not in mail.outbox[0].body


def test_the_house_hears_of_every_step(client: APIClient, meeting: Meeting) -> None:
    export = finished(client, meeting)

    heard = Event.objects.filter(type__startswith="export.").order_by("occurred_at")
    assert [event.type for event in heard] == ["export.requested", "export.completed"]
    completed = heard.last()
    assert completed is not None
    assert completed.data["sha256"] == export["sha256"]


def test_a_waiting_export_is_cancelled_and_a_finished_one_is_not(
    client: APIClient, meeting: Meeting
) -> None:
    export_id = ask(client, meeting).json()["export"]["id"]

    assert client.post(f"{ADDRESS}{export_id}/cancel/").json()["status"] == "cancelled"
    again = client.post(f"{ADDRESS}{export_id}/cancel/")
    assert (again.status_code, again.json()["code"]) == (409, "job.has_ended")
    done = finished(client, meeting)
    late = client.post(f"{ADDRESS}{done['id']}/cancel/")
    assert (late.status_code, late.json()["code"]) == (409, "export.has_ended")


def test_nobody_joins_an_export_that_is_being_cancelled(
    client: APIClient, meeting: Meeting
) -> None:
    first = ask(client, meeting).json()["export"]["id"]
    Job.objects.update(
        status="running",
        lease_until=database_now(plus_seconds=9),
        cancel_requested_at=database_now(),
    )
    second = ask(client, meeting).json()["export"]["id"]
    assert second != first


def test_an_export_that_is_tried_again_is_at_work_again(
    client: APIClient, meeting: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(plain_text, "render", _fail)
        export_id = ask(client, meeting).json()["export"]["id"]
        run_jobs()
    address = f"{ADDRESS}{export_id}/"
    assert client.get(address).json()["status"] == "failed"
    requeue_job(job=Job.objects.get(kind="exports.render_export"))
    assert client.get(address).json()["status"] == "queued"
    assert ask(client, meeting).json()["export"]["id"] == export_id, "no second one is made"
    run_jobs()
    shown = client.get(address).json()
    assert (shown["status"], shown["error"]) == ("succeeded", None)


def _fail(*_: Any, **__: Any) -> None:
    raise NoTimesForCaptions


def test_who_may_not_see_the_meeting_any_more_is_told_nothing_of_it(who: Actor) -> None:
    member = make.actor(organization=who.organization, role=Role.MEMBER)
    meeting = make.meeting(organization=who.organization, title="Secret plans")
    ask(make.client(member), meeting)
    meeting.team = make.team(organization=who.organization)
    meeting.save()
    run_jobs()
    assert Export.objects.get().stored_file is not None
    assert not Notification.objects.exists()
    assert mail.outbox == []


def test_the_list_is_narrowed_by_meeting_and_format(
    client: APIClient, who: Actor, meeting: Meeting
) -> None:
    other = make.meeting(organization=who.organization)
    mine = make.export(meeting=meeting, format="pdf")
    make.export(meeting=meeting)
    make.export(meeting=other, format="pdf")

    found = client.get(ADDRESS, {"meeting": str(meeting.id), "format": "pdf"}).json()["results"]

    assert [row["id"] for row in found] == [str(mine.id)]
