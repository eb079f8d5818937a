"""What a JSON body may be."""

from __future__ import annotations

import contextlib
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from rest_framework.test import APIClient

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.http.urls")]


def send(raw: Any) -> Any:
    return APIClient().generic("POST", "/api/echo", raw, content_type="application/json")


def refusal(raw: Any) -> tuple[int, str]:
    answer = send(raw)
    return answer.status_code, answer.json()["code"]


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ('{"a": [1, 2.5, null, "ä€😀"]}', {"a": [1, 2.5, None, "ä€😀"]}),
        (r'"\\u0000 is only spelled"', r"\u0000 is only spelled"),
        (r'"\ud83d\ude00"', "😀"),
    ],
)
def test_json_is_read_and_written(raw: str, value: object) -> None:
    assert send(raw).json() == {"body": value}


@pytest.mark.parametrize(
    "raw", [b"{", b"nonsense", b"[1,]", b"NaN", b"[Infinity]", b'"\xff"', b'"\xed\xa0\x80"', b" "]
)
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    assert refusal(raw) == (400, "json.invalid")


@pytest.mark.parametrize(
    "raw", [r'"\u0000"', r'{"a": ["b\u0000"]}', r'{"\u0000": 1}', r'"\ud800"', r'{"a": "\udc00b"}']
)
def test_nul_characters_and_lone_surrogates_are_refused(raw: str) -> None:
    assert refusal(raw) == (400, "text.invalid_character")


def test_depth_is_allowed_up_to_the_limit() -> None:
    assert send(nested(settings.JSON_MAX_DEPTH)).status_code == 200


@pytest.mark.parametrize("depth", [settings.JSON_MAX_DEPTH + 1, 1000, 100_000])
def test_more_depth_is_refused(depth: int) -> None:
    assert refusal(nested(depth)) == (400, "json.too_deep")


def test_many_shallow_containers_are_not_deep() -> None:
    assert send("[" + ",".join(["[]"] * 1000) + "]").status_code == 200


def test_length_is_allowed_up_to_the_limit() -> None:
    raw = b'"' + b"a" * (settings.JSON_MAX_BYTES - 2) + b'"'

    assert send(raw).status_code == 200


def test_one_byte_more_is_refused() -> None:
    raw = b'"' + b"a" * (settings.JSON_MAX_BYTES - 1) + b'"'

    assert refusal(raw) == (413, "json.too_large")


def _over_a_socket(address: str, head: str, body: bytes) -> bytes:
    """What a server answers to bytes that no well-behaved client would send."""
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as line:
        line.sendall(f"POST /api/echo HTTP/1.0\r\nHost: localhost\r\n{head}\r\n\r\n".encode())
        line.sendall(body)
        with contextlib.suppress(OSError):  # the server may have answered and hung up by now
            line.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := line.recv(65536):
            answer += chunk
    return answer


JSON = "Content-Type: application/json\r\n"


def test_a_body_shorter_than_announced_is_refused(live_server: Any) -> None:
    answer = _over_a_socket(live_server.url, f"{JSON}Content-Length: 50", b'{"a": 1}')

    assert b" 400 " in answer.splitlines()[0]
    assert b'"body.incomplete"' in answer


def test_an_announcement_over_the_limit_is_refused_before_the_body_is_read(
    live_server: Any,
) -> None:
    answer = _over_a_socket(live_server.url, f"{JSON}Content-Length: 99999999999", b"{")

    assert b" 413 " in answer.splitlines()[0]
    assert b'"json.too_large"' in answer
