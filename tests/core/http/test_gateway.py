"""Clients that send or read slowly, over real sockets against the web process as it is deployed."""

from __future__ import annotations

import http.client
import json
import resource
import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.utils import timezone

from config.demo import Client
from config.processes import WEB_THREADS
from core.files.incoming import upload_folder
from exports.queries import link_to
from tests import make
from tests.meetings.recordings import JFK
from tests.processes import House, free_port, house, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

PORT = free_port()
GRACE_SECONDS = 3
UPLOADS = 8


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("web")
    with house(
        folder,
        port=PORT,
        TRANSFER_GRACE_SECONDS=str(GRACE_SECONDS),
        UPLOADS_AT_ONCE=str(UPLOADS),
    ) as started:
        started.start("web")
        wait_until(lambda: _status("/api/health/live") == 200, "the web process answers")
        yield started


@pytest.fixture
def connections() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def _status(path: str, **headers: str) -> int | None:
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=2)
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


def send_head(connections: ExitStack, method: str, path: str, **headers: Any) -> socket.socket:
    """A connection on which only the head of a request has been sent."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    connection = connections.enter_context(socket.create_connection(("127.0.0.1", PORT), 20))
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    return connection


def read_answer(connection: socket.socket) -> tuple[http.client.HTTPResponse, Any]:
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    body = answer.read()
    return answer, json.loads(body) if body else None


def assert_others_are_served(key: str) -> None:
    authorization = {"Authorization": f"Bearer {key}"}
    assert _status("/api/v1/meetings/", **authorization) == 200
    assert _status("/api/health/ready") == 200


def test_a_thousand_idle_connections_keep_nobody_out(web: House, connections: ExitStack) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    connections.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
    for _ in range(1100):  # more than granian takes by default
        connections.enter_context(socket.create_connection(("127.0.0.1", PORT), 20))

    assert_others_are_served(make.api_key())


@pytest.mark.parametrize("length", [100, 500_000])
def test_clients_that_announce_a_body_and_fall_silent_delay_nobody(
    length: int, web: House, connections: ExitStack
) -> None:
    key = make.api_key()
    meeting = Client(PORT, key).create_meeting("Monday")
    by_key = {"Authorization": f"Bearer {key}", "Content_Type": "application/json"}
    form = {"Content_Type": "application/x-www-form-urlencoded", "Cookie": "csrftoken=" + 32 * "x"}
    silent = [
        send_head(connections, method, path, Content_Length=length, **headers)
        for method, path, headers in (
            ("POST", "/admin/login/", form),
            ("PATCH", f"/api/v1/meetings/{meeting}/", by_key),
            ("POST", "/api/v1/meetings/", {**by_key, "Idempotency_Key": "k"}),
        )
        for _ in range(WEB_THREADS)
    ]

    assert_others_are_served(key)

    for connection in silent:
        answer, problem = read_answer(connection)
        assert (answer.status, problem["code"]) == (408, "body.too_slow")
        assert answer.headers["Connection"] == "close"


def test_sender_below_the_least_rate_is_refused(web: House, connections: ExitStack) -> None:
    headers = {"Content_Type": "application/json", "Content_Length": 5000}
    connection = send_head(connections, "POST", "/admin/login/", **headers)

    for _ in range(20 * GRACE_SECONDS):
        connection.sendall(b" ")
        if select.select([connection], [], [], 0.1)[0]:
            break

    answer, problem = read_answer(connection)
    assert (answer.status, problem["code"]) == (408, "body.too_slow")


def test_slow_uploads_of_one_organization_leave_room_for_another(
    web: House, connections: ExitStack
) -> None:
    slow, other = Client(PORT, make.api_key()), Client(PORT, make.api_key())
    meeting = slow.create_meeting("Monday")
    path = f"/api/v1/meetings/{meeting}/recordings/"
    headers = {"Authorization": f"Bearer {slow.key}", "Content_Type": "audio/flac"}
    for _ in range(UPLOADS // 2):
        send_head(connections, "POST", path, Content_Length=1_000_000, **headers).sendall(b"fLaC")
    wait_until(
        lambda: len(list(upload_folder().glob("upload-*"))) == UPLOADS // 2,
        "the uploads are received",
    )

    refused = send_head(connections, "POST", path, Content_Length=1_000_000, **headers)

    answer, problem = read_answer(refused)
    assert (answer.status, problem["code"]) == (503, "upload.too_many")
    assert other.upload(other.create_meeting("Tuesday"), JFK)["job"]["status"] == "queued"


def test_refused_upload_says_that_the_connection_closes(web: House, connections: ExitStack) -> None:
    """A client that sends all before it reads gets the answer, and knows that it is the last."""
    connection = send_head(
        connections, "POST", f"/api/v1/meetings/{make.meeting().id}/recordings/",
        Content_Length=8_000_000, Content_Type="audio/flac",
    )  # fmt: skip
    connection.sendall(bytes(8_000_000))

    answer, problem = read_answer(connection)

    assert (answer.status, problem["code"]) == (401, "not_signed_in")
    assert answer.headers["Connection"] == "close"
    assert connection.recv(1) == b""


def test_small_refused_body_keeps_the_connection(web: House, connections: ExitStack) -> None:
    headers = {"Content_Type": "application/json", "Content_Length": 1000}
    connection = send_head(connections, "POST", "/api/v1/meetings/", **headers)
    connection.sendall(bytes(1000))

    assert read_answer(connection)[0].status == 401
    connection.sendall(b"GET /api/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert read_answer(connection)[0].status == 200


def test_readers_that_stop_reading_hold_no_thread_and_are_cut_off(
    web: House, connections: ExitStack
) -> None:
    actor = make.actor()
    key = make.api_key(actor=actor)
    client = Client(PORT, key)
    meeting = client.create_meeting("Long")
    client.send_text(meeting, [{"speaker": "Anna", "text": "so " * 25_000}] * 100)
    export = make.export(
        meeting=make.meeting(organization=actor.organization), content=bytes(10_000_000)
    )
    link = link_to(export, timezone.now())
    assert link is not None
    paths = (
        f"/api/v1/meetings/{meeting}/transcript/?page_size=100",
        f"/api/v1/exports/{export.id}/file/{link.token}/",
    )
    readers = [open_reader(connections, path, key) for path in paths * WEB_THREADS]

    assert_others_are_served(key)

    wait_until(lambda: web.said().count("http.reader_too_slow") >= len(readers), "all are cut off")
    assert all(ends_early(reader) for reader in readers)


def open_reader(connections: ExitStack, path: str, key: str) -> socket.socket:
    """A connection that asks for an answer and takes next to nothing of it."""
    reader = connections.enter_context(socket.socket())
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.settimeout(20)
    reader.connect(("127.0.0.1", PORT))
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\r\n"
    reader.sendall(head.encode())
    return reader


def ends_early(reader: socket.socket) -> bool:
    """Whether the connection ends before the announced length has arrived."""
    answer = http.client.HTTPResponse(reader)
    try:
        answer.begin()
        answer.read()
    except (http.client.IncompleteRead, OSError):
        return True
    return False
