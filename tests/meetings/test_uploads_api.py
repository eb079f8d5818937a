"""Recordings sent in: what is accepted, and that what is refused leaves nothing behind."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.crypto import get_random_string
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from core.accounts.actor import Actor
from core.accounts.models import Role
from core.files.models import StoredFile
from core.jobs.models import Job
from core.resilience.shares import Shares
from meetings.api import uploads
from meetings.models import Meeting, Recording
from tests import make
from tests.meetings.recordings import FOLDER, JFK, tone
from tests.meetings.work import send_bytes
from tests.storage import files_below

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor() -> Actor:
    return make.actor(role=Role.MEMBER)


@pytest.fixture
def meeting(actor: Actor, storage: Path) -> Meeting:
    return make.meeting(organization=actor.organization)


def address(meeting: Meeting) -> str:
    return f"/api/v1/meetings/{meeting.id}/recordings/"


def send_form(client: APIClient, meeting: Meeting, body: bytes, **fields: Any) -> Any:
    file = SimpleUploadedFile("a/b\\talk.mp3", body, content_type="audio/mpeg")
    return client.post(address(meeting), {"file": file, **fields}, format="multipart")


def send_form_named(
    client: APIClient, meeting: Meeting, body: bytes, *, query_params: dict[str, str]
) -> Any:
    """A form whose part carries the name as browsers write it, raw but for quotes and breaks."""
    name = query_params["filename"].replace("\r\n", "%0D%0A").replace('"', "%22")
    head = f'Content-Disposition: form-data; name="file"; filename="{name}"'
    form = b"\r\n".join((b"--x", head.encode(), b"", body, b"--x--", b""))
    return send_bytes(client, meeting, form, content_type="multipart/form-data; boundary=x")


@pytest.mark.parametrize("send", [send_bytes, send_form])
def test_a_recording_is_accepted_stored_and_queued(
    send: Any, actor: Actor, meeting: Meeting, storage: Path
) -> None:
    body = JFK.read_bytes()
    answer = send(make.client(actor), meeting, body)
    assert answer.status_code == 202, answer.content
    found = answer.json()
    assert found["duplicate"] is False
    assert found["job"]["status"] == "queued"
    assert found["recording"]["media_type"] == "audio/flac"
    assert found["recording"]["duration_ms"] == 11_000
    assert Job.objects.get(id=found["job"]["id"]).size == 11_000  # what its estimate rests on
    assert found["recording"]["sha256"] == hashlib.sha256(body).hexdigest()
    (file,) = files_below(storage)
    assert file.read_bytes() == body
    meeting.refresh_from_db()
    assert meeting.revision == 2


@pytest.mark.parametrize("tag", ["EN", "en-US", "en_gb"])
def test_a_form_brings_the_files_name_and_language(
    tag: str, actor: Actor, meeting: Meeting
) -> None:
    answer = send_form(make.client(actor), meeting, JFK.read_bytes(), language=tag)
    recording = answer.json()["recording"]
    assert (recording["filename"], recording["language"]) == ("talk.mp3", "en")


def test_the_same_bytes_again_are_the_recording_that_is_there(
    actor: Actor, meeting: Meeting, storage: Path
) -> None:
    client = make.client(actor)
    first = send_bytes(client, meeting, tone()).json()
    again = send_bytes(client, meeting, tone())
    assert (again.status_code, again.json()["duplicate"]) == (200, True)
    assert again.json()["recording"]["id"] == first["recording"]["id"]
    assert again.json()["job"]["id"] == first["job"]["id"]
    assert (Recording.objects.count(), len(files_below(storage))) == (1, 1)


def test_the_same_bytes_in_another_meeting_share_the_file(
    actor: Actor, meeting: Meeting, storage: Path
) -> None:
    client = make.client(actor)
    first = send_bytes(client, meeting, tone()).json()
    other = make.meeting(organization=actor.organization)
    answer = send_bytes(client, other, tone())
    assert (answer.status_code, answer.json()["duplicate"]) == (202, True)
    assert answer.json()["recording"]["id"] != first["recording"]["id"]
    assert StoredFile.objects.get().references == 2
    assert len(files_below(storage)) == 1


def test_another_organization_never_learns_of_it(meeting: Meeting, actor: Actor) -> None:
    send_bytes(make.client(actor), meeting, tone())
    stranger = make.actor()
    theirs = make.meeting(organization=stranger.organization)
    answer = send_bytes(make.client(stranger), theirs, tone())
    assert (answer.status_code, answer.json()["duplicate"]) == (202, False)
    assert StoredFile.objects.count() == 2


@pytest.mark.parametrize(
    ("name", "media_type"), [("phone_3gp4.m4a", "audio/3gpp"), ("large_tag.mp3", "audio/mpeg")]
)
def test_a_recording_is_accepted_for_what_can_be_decoded(
    name: str, media_type: str, actor: Actor, meeting: Meeting, storage: Path
) -> None:
    answer = send_bytes(make.client(actor), meeting, (FOLDER / name).read_bytes())
    assert answer.status_code == 202, answer.content
    assert answer.json()["recording"]["media_type"] == media_type


BAD = {
    "an empty body": (b"", "recording.empty"),
    "plain text": (b"Dear all, " * 100, "recording.not_audio"),
    "a program": (b"\x7fELF\x02\x01\x01" + bytes(4000), "recording.not_audio"),
    "a RIFF header over junk": (
        b"RIFF\x24\x10\x00\x00WAVEfmt " + bytes(range(256)) * 20,
        "recording.unreadable",
    ),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(4000), "recording.not_audio"),
    "a kind that is not supported": (
        b"Creative Voice File\x1a\x1a\0\x0a\1\x29\x11" + bytes(range(256)) * 20,
        "recording.not_supported",
    ),
    "a cut header": (JFK.read_bytes()[:60], "recording.unreadable"),
}


@pytest.mark.parametrize("send", [send_bytes, send_form])
@pytest.mark.parametrize("what", BAD)
def test_what_is_no_recording_is_refused_and_leaves_nothing(
    what: str, send: Any, actor: Actor, meeting: Meeting, storage: Path
) -> None:
    body, code = BAD[what]
    answer = send(make.client(actor), meeting, body)
    assert (answer.status_code, answer.json()["code"]) == (400, code), answer.content
    assert answer.json()["detail"].endswith(".")
    assert_nothing_is_left(storage)


def assert_nothing_is_left(storage: Path) -> None:
    assert files_below(storage) == []
    assert not any(model.objects.exists() for model in (StoredFile, Recording, Job))


@pytest.mark.parametrize("send", [send_bytes, send_form])
def test_too_many_bytes_are_refused(
    send: Any, actor: Actor, meeting: Meeting, storage: Path, settings: Settings
) -> None:
    settings.RECORDING_MAX_BYTES = 10_000
    answer = send(make.client(actor), meeting, tone())
    assert (answer.status_code, answer.json()["code"]) == (413, "upload.too_large")
    assert_nothing_is_left(storage)


def test_too_many_hours_are_refused(
    actor: Actor, meeting: Meeting, storage: Path, settings: Settings
) -> None:
    settings.RECORDING_MAX_HOURS = 5 / 3600
    answer = send_bytes(make.client(actor), meeting, JFK.read_bytes())
    assert (answer.status_code, answer.json()["code"]) == (413, "recording.too_long")
    assert_nothing_is_left(storage)


@pytest.mark.parametrize("send", [send_bytes, send_form])
def test_a_body_shorter_than_announced_is_refused(
    send: Any, actor: Actor, meeting: Meeting, storage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make.client(actor)
    client.get("/api/v1/me/")
    honest = client.request

    def lie(**environ: Any) -> Any:
        environ["CONTENT_LENGTH"] = str(int(environ["CONTENT_LENGTH"]) + 1000)
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read())
        return honest(**environ)

    monkeypatch.setattr(client, "request", lie)
    answer = send(client, meeting, tone())
    assert (answer.status_code, answer.json()["code"]) == (400, "upload.incomplete")
    assert_nothing_is_left(storage)


@pytest.mark.parametrize("length", ["many", "-5"])
def test_a_body_without_a_usable_length_is_refused(
    length: str, actor: Actor, meeting: Meeting, storage: Path
) -> None:
    answer = send_bytes(make.client(actor), meeting, tone(), CONTENT_LENGTH=length)
    assert (answer.status_code, answer.json()["code"]) == (400, "body.length_required")
    assert_nothing_is_left(storage)


def test_a_form_with_other_parts_is_refused(actor: Actor, meeting: Meeting, storage: Path) -> None:
    client = make.client(actor)
    for form in (
        {"recording": SimpleUploadedFile("x.wav", tone())},
        {"file": SimpleUploadedFile("x.wav", tone()), "colour": "blue"},
        {"file": [SimpleUploadedFile("x.wav", tone()), SimpleUploadedFile("y.wav", tone())]},
        {"file": "just text"},
        {},
    ):
        answer = client.post(address(meeting), form, format="multipart")
        assert (answer.status_code, answer.json()["code"]) == (400, "upload.bad_form"), form
    assert_nothing_is_left(storage)


def test_a_form_that_is_none_is_refused(actor: Actor, meeting: Meeting, storage: Path) -> None:
    answer = send_bytes(
        make.client(actor), meeting, b"no boundary here", content_type="multipart/form-data"
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "upload.bad_form")
    assert_nothing_is_left(storage)


def test_a_name_with_characters_that_cannot_be_stored_is_refused(
    actor: Actor, meeting: Meeting, storage: Path
) -> None:
    answer = send_bytes(make.client(actor), meeting, tone(), query_params={"filename": "a\0b"})
    assert (answer.status_code, answer.json()["code"]) == (400, "text.invalid_character")
    assert_nothing_is_left(storage)


def test_a_signed_in_person_uploads_with_the_token_in_the_header(
    actor: Actor, meeting: Meeting
) -> None:
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(actor.user)
    assert send_bytes(browser, meeting, tone()).status_code == 403
    browser.cookies["csrftoken"] = token = get_random_string(32)
    for send, seconds in ((send_bytes, 1.0), (send_form, 2.0)):
        browser.credentials(HTTP_X_CSRFTOKEN=token)
        assert send(browser, meeting, tone(seconds=seconds)).status_code == 202


def test_uploads_of_one_organization_leave_slots_for_others(
    actor: Actor, meeting: Meeting, storage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slots = Shares(4)
    monkeypatch.setattr(uploads, "slots", slots)
    other = make.actor()
    theirs = make.meeting(organization=other.organization)
    while slots.take(actor.organization.id):
        pass

    answer = send_bytes(make.client(actor), meeting, tone())

    assert (answer.status_code, answer.json()["code"]) == (503, "upload.too_many")
    assert_nothing_is_left(storage)
    assert send_bytes(make.client(other), theirs, tone()).status_code == 202
    slots.release(actor.organization.id)
    assert send_bytes(make.client(actor), meeting, tone()).status_code == 202


@pytest.mark.parametrize("send", [send_bytes, send_form_named])
def test_filename_loses_characters_that_deceive(send: Any, actor: Actor, meeting: Meeting) -> None:
    name = "a/b\\in\r\nvoice\x1b[31m\u202e3pm.exe\u2028.wav"
    answer = send(make.client(actor), meeting, tone(), query_params={"filename": name})
    assert answer.status_code == 202, answer.content
    assert answer.json()["recording"]["filename"] == "invoice[31m3pm.exe.wav"


def test_a_language_that_the_model_does_not_know_is_refused(
    actor: Actor, meeting: Meeting, storage: Path
) -> None:
    answer = send_form(make.client(actor), meeting, tone(), language="sv")
    assert (answer.status_code, answer.json()["code"]) == (400, "recording.language_not_known")
    assert_nothing_is_left(storage)


def test_a_language_of_too_many_characters_is_refused(
    actor: Actor, meeting: Meeting, storage: Path
) -> None:
    answer = send_form(make.client(actor), meeting, tone(), language="x" * 21)
    assert (answer.status_code, answer.json()["code"]) == (400, "upload.bad_form")
    assert_nothing_is_left(storage)


def test_a_viewer_does_not_upload(meeting: Meeting, storage: Path) -> None:
    viewer = make.actor(organization=meeting.organization, role=Role.VIEWER)
    answer = send_bytes(make.client(viewer), meeting, tone())
    assert (answer.status_code, answer.json()["code"]) == (403, "role.too_low")
    assert_nothing_is_left(storage)


def test_a_meeting_that_is_not_there_takes_no_recording(actor: Actor, storage: Path) -> None:
    elsewhere = make.meeting()
    answer = send_bytes(make.client(actor), elsewhere, tone())
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert_nothing_is_left(storage)
