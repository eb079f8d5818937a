"""The page for receivers says what is so: its code is taken from it and run on what we sign."""

from __future__ import annotations

import html
import json
import os
import re
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from http.server import ThreadingHTTPServer
from typing import Any

import pytest
from django.test import Client

from core.accounts.models import Role
from core.db.clock import database_now
from core.db.rows import new_id
from tests import make
from tests.webhooks.page import examples, page
from webhooks import signatures
from webhooks.models import InboundMessage, InboundSource
from webhooks.queries import catalogue, explanations

SECRET = signatures.new_secret()
PAIR = signatures.new_key_pair()
BODY = catalogue.body_of(
    "export.completed", catalogue.EXAMPLE_TIME, {"name": "Größe 😀", "big": 2**53 + 1}
).encode()


def delivery(
    *secrets: str, body: bytes = BODY, seconds_off: int = 0
) -> tuple[bytes, dict[str, str]]:
    """A body and its headers as we send them."""
    message_id, timestamp = str(new_id()), int(time.time()) + seconds_off
    signature = signatures.header_of(secrets, message_id=message_id, timestamp=timestamp, body=body)
    return body, {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature,
    }


@contextmanager
def receiver(name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The receiver of that name at work; its port."""
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    copied: dict[str, Any] = {"__name__": "copied"}
    exec(examples()[name], copied)
    server = ThreadingHTTPServer(("127.0.0.1", 0), copied["Receiver"])
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def answer(port: int, body: bytes, headers: dict[str, str]) -> int:
    wire = HTTPConnection("127.0.0.1", port, timeout=10)
    wire.request("POST", "/", body, headers)
    status = wire.getresponse().status
    wire.close()
    return status


@pytest.mark.parametrize("name", ["python", "python-library"])
def test_the_receivers_in_python_take_what_is_ours_and_nothing_else(
    name: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    old = signatures.new_secret()
    body, headers = delivery(SECRET)
    with receiver(name, monkeypatch) as port:
        assert answer(port, *delivery(SECRET)) == 204
        assert answer(port, *delivery(SECRET, old)) == 204, "while the secret is being replaced"
        assert answer(port, *delivery(old, SECRET)) == 204
        assert answer(port, *delivery(old)) == 401
        assert answer(port, body + b" ", headers) == 401
        assert answer(port, body, {**headers, "webhook-id": "another"}) == 401
        assert answer(port, *delivery(SECRET, seconds_off=-400)) == 401
        assert answer(port, *delivery(SECRET, seconds_off=400)) == 401
        assert answer(port, body, {}) == 401
        assert answer(port, body, {**headers, "webhook-signature": "v1,é"}) == 401
    assert capfd.readouterr().out.count("export.completed {") == 3


def test_the_check_of_a_key_pair_in_python_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK_PUBLIC_KEY", PAIR.public)
    copied: dict[str, Any] = {}
    exec(examples()["python-ed25519"], copied)
    is_ours = copied["is_ours"]
    body, headers = delivery(PAIR.secret)
    assert is_ours(body, headers)
    assert is_ours(*delivery(SECRET, PAIR.secret))
    assert not is_ours(body + b" ", headers)
    assert not is_ours(*delivery(signatures.new_key_pair().secret))
    assert not is_ours(*delivery(PAIR.secret, seconds_off=-400))


@pytest.mark.django_db(transaction=True)
def test_what_the_page_shows_in_python_to_send_is_taken(live_server: Any) -> None:
    source: InboundSource = make.inbound_source()
    done = subprocess.run(
        [sys.executable, "-c", examples()["send-python"]],
        env={
            **os.environ,
            "SOURCE_URL": f"{live_server.url}/api/v1/hooks/{source.id}/",
            "SOURCE_SECRET": source.secret,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    message = InboundMessage.objects.get()
    assert done.stdout.split() == ["202", f'{{"id":"{message.id}","duplicate":false}}']
    assert (message.type, message.object_id) == ("order.paid", "order-42")


REQUEST = re.compile(r"^ask ((?:.*\\\n)*.*)$", re.M)


def requests_of(block: str, **words: Any) -> Iterator[tuple[str, str, Any]]:
    """Method, address and JSON of each call of `ask`, with the words in capitals filled in."""
    text = examples()[block]
    for word, value in words.items():
        text = text.replace(word, str(value))
    for call in REQUEST.findall(text):
        arguments = shlex.split(call)
        (address,) = (one.removeprefix("$API") for one in arguments if one.startswith("$API"))
        body = json.loads(arguments[arguments.index("-d") + 1]) if "-d" in arguments else None
        method = "GET" if body is None else "POST"
        if "-X" in arguments:
            method = arguments[arguments.index("-X") + 1]
        yield method, f"/api/v1/webhooks{address}", body


@pytest.mark.django_db
def test_all_that_the_page_shows_to_ask_with_curl_works() -> None:
    who = make.actor(role=Role.ADMIN)
    client = make.client(who)
    endpoint = make.endpoint(organization=who.organization)
    source = make.inbound_source(organization=who.organization)
    words = {
        "ENDPOINT_ID": endpoint.id,
        "DELIVERY_ID": make.delivery(endpoint=endpoint).id,
        "SOURCE_ID": source.id,
        "MESSAGE_ID": make.inbound_message(source=source).id,
        "SINCE": (database_now() - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "https://example.com/hook": "http://127.0.0.1:9000/hook",
    }
    asked = [
        request
        for block in ("curl-manage", "curl-sources")
        for request in requests_of(block, **words)
    ]

    for method, address, body in asked:
        content = None if body is None else json.dumps(body)
        answer = client.generic(method, address, content or "", "application/json")
        assert answer.status_code in (200, 201, 202), (method, address, answer.content)
    assert len(asked) == 16


def test_every_error_kind_is_on_the_page_with_its_message() -> None:
    text = html.unescape(page())
    for kind, message in explanations.error_kinds():
        assert f"<tr><td><code>{kind}</code></td><td>{message}</td></tr>" in text


def test_every_event_type_is_on_the_page_with_its_example() -> None:
    shown = page()
    for kind in catalogue.catalogue():
        if not kind.name.startswith("tests."):
            assert f'id="type-{kind.name}"' in shown
    assert "endpoint.disabled" in shown
    assert 'id="type-inbound.received"' not in shown


def test_the_page_is_open_loads_nothing_and_says_what_the_settings_say(settings: Any) -> None:
    settings.WEBHOOK_RETRY_SCHEDULE = [5, 90, 7200]
    found = Client().get("/api/docs/webhooks/")
    text = found.content.decode()
    assert found.status_code == 200
    assert "There are 4 attempts" in text
    assert "5 seconds, 90 seconds and 2 hours" in text
    assert "default-src 'none'" in found["Content-Security-Policy"]
    assert not [word for word in ("<script", "<link", "<img", "src=", "url(") if word in text]
    assert Client().post("/api/docs/webhooks/").status_code == 405
