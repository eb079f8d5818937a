"""Uploads over a real socket to the real web server, from clients that do not play fair."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator

import pytest
from django.conf import settings

from config.demo import Client
from core.files.models import StoredFile
from core.jobs.models import Job
from meetings.models import Recording
from tests import make
from tests.meetings.recordings import JFK
from tests.processes import House, free_port, house, wait_until
from tests.storage import files_below, mark_storage

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

PORT = free_port()


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    mark_storage(folder / "files")
    with house(folder, port=PORT, STORAGE_URL=str(folder / "files")) as started:
        started.start("web")
        wait_until(lambda: _answers("/api/health/live"), "the web process answers")
        yield started


def _answers(path: str) -> int | None:
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


@pytest.fixture
def client() -> Client:
    return Client(PORT, make.api_key())


def open_upload(client: Client, *headers: str) -> socket.socket:
    """A connection on which the head of an upload has been sent, and nothing of its body."""
    meeting = client.create_meeting("Monday")
    lines = (
        f"POST /api/v1/meetings/{meeting}/recordings/ HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {client.key}",
        *headers,
        "",
        "",
    )
    connection = socket.create_connection(("127.0.0.1", PORT), timeout=20)
    connection.sendall("\r\n".join(lines).encode())
    return connection


def answer_on(connection: socket.socket) -> tuple[int, str]:
    """The status and the problem's code of the answer that arrives there."""
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    return answer.status, json.loads(answer.read())["code"]


def nothing_is_left(web: House) -> bool:
    rows = any(model.objects.exists() for model in (StoredFile, Recording, Job))
    return not rows and not files_below(web.folder / "files")


def test_the_process_is_alive_and_ready(web: House) -> None:
    assert (_answers("/api/health/live"), _answers("/api/health/ready")) == (200, 200)


def test_a_recording_is_uploaded_and_kept(web: House, client: Client) -> None:
    accepted = client.upload(client.create_meeting("Monday"), JFK)
    assert accepted["job"]["status"] == "queued"
    (kept,) = files_below(web.folder / "files")
    assert kept.read_bytes() == JFK.read_bytes()
    kept.unlink()


def test_a_client_that_hangs_up_half_way_leaves_nothing(web: House, client: Client) -> None:
    body = JFK.read_bytes()
    with open_upload(client, f"Content-Length: {len(body)}", "Content-Type: audio/flac") as sent:
        sent.sendall(body[: len(body) // 2])
        wait_until(lambda: files_below(web.folder / "files"), "the first half is being received")
    wait_until(lambda: nothing_is_left(web), "the half is gone")
    assert "Internal Server Error" not in web.said()


def test_a_length_over_the_limit_is_refused_before_the_body(web: House, client: Client) -> None:
    length = settings.RECORDING_MAX_BYTES + 1
    with open_upload(client, f"Content-Length: {length}", "Content-Type: audio/flac") as sent:
        assert answer_on(sent) == (413, "upload.too_large")
    assert nothing_is_left(web)


def test_what_is_not_audio_is_refused_long_before_its_end(web: House, client: Client) -> None:
    with open_upload(client, "Content-Length: 500000000", "Content-Type: audio/mpeg") as sent:
        sent.sendall(b"%PDF-1.7\n" + bytes(2_000_000))
        assert answer_on(sent) == (400, "recording.not_audio")
    assert nothing_is_left(web)


def test_a_content_type_that_cannot_be_read_is_a_refusal(web: House, client: Client) -> None:
    with open_upload(client, "Content-Length: 0", "Content-Type: a/b; charset*=bogus''x") as sent:
        assert answer_on(sent) == (400, "recording.empty")


def test_a_body_in_chunks_needs_a_length(web: House, client: Client) -> None:
    with open_upload(client, "Transfer-Encoding: chunked", "Content-Type: audio/flac") as sent:
        sent.sendall(b"4\r\nfLaC\r\n0\r\n\r\n")
        assert answer_on(sent) == (400, "body.length_required")
    assert nothing_is_left(web)
