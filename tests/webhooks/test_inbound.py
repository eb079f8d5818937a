"""Inbound messages are verified, stored once and published; others are refused."""

from __future__ import annotations

import json
import random
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
import standardwebhooks
import stripe
import svix
from django.conf import LazySettings
from django.db import connection
from rest_framework.test import APIClient

from core.db.clock import database_now
from core.db.rows import new_id
from core.events.models import Event
from core.jobs.models import Job, JobStatus
from core.security.models import SecurityEvent
from tests import make
from tests.run_jobs import run_jobs
from tests.webhooks.senders import SECRETS, address, post, signed
from webhooks.models import InboundMessage, InboundSource, Scheme
from webhooks.services import inbound_messages, inbound_sources

pytestmark = pytest.mark.django_db

BODIES = {
    Scheme.STANDARD: b'{"type": "order.paid", "data": {"id": "order-1"}}',
    Scheme.TIMESTAMPED: b'{"id": "e1", "type": "order.paid", "data": {"id": 42}}',
    Scheme.GITHUB: b'{"action": "opened", "issue": {"number": 1}}',
    Scheme.STRIPE: b'{"id": "evt_1", "type": "charge.failed", "data": {"object": {"id": "ch_1"}}}',
}

ANOTHER_SECRET = "whsec_QW5vdGhlciBzZWNyZXQgb2YgMzIgYnl0ZXMgaW4gYWw="


def source(scheme: Scheme = Scheme.STANDARD, **fields: Any) -> InboundSource:
    return make.inbound_source(scheme=scheme, **{"secret": SECRETS[scheme], **fields})


def refusals() -> list[SecurityEvent]:
    return list(SecurityEvent.objects.filter(kind=inbound_messages.REFUSED).order_by("id"))


# --- Accepted -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheme", "names"),
    [
        (Scheme.STANDARD, ("m1", "order.paid", "order-1")),
        (Scheme.TIMESTAMPED, ("m1", "order.paid", "42")),
        (Scheme.GITHUB, ("m1", "issues", "")),
        (Scheme.STRIPE, ("evt_1", "charge.failed", "ch_1")),
    ],
)
def test_signed_message_is_stored_and_published(
    scheme: Scheme, names: tuple[str, str, str]
) -> None:
    sender = source(scheme)

    answer = post(sender, BODIES[scheme], message_id="m1")

    message = InboundMessage.objects.get()
    assert answer.status_code == 202
    assert answer.json() == {"id": str(message.id), "duplicate": False}
    assert (message.message_id, message.type, message.object_id) == names
    assert bytes(message.body or b"-") == BODIES[scheme]
    run_jobs()
    event = Event.objects.get(type="inbound.received")
    assert event.organization_id == sender.organization_id
    assert event.data == {
        "source_id": str(sender.id),
        "source": sender.name,
        "inbound_message_id": str(message.id),
        "message_id": names[0],
        "type": names[1],
        "object_id": names[2],
        "received_at": message.received_at.isoformat(),
    }
    message.refresh_from_db()
    assert message.handled_at is not None
    assert message.job is not None
    assert message.job.status == JobStatus.SUCCEEDED


def test_what_the_libraries_of_others_sign_is_accepted() -> None:
    sender, body = source(), '{"type": "grüße", "data": {"id": 12345678901234567890}}'
    moment = datetime.now(UTC)
    for library in (standardwebhooks.Webhook, svix.Webhook):
        message_id = f"msg_{new_id().hex}"
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": library(SECRETS[Scheme.STANDARD]).sign(message_id, moment, body),
        }
        assert post(sender, body.encode(), headers).status_code == 202, library

    paid, second = source(Scheme.STRIPE), int(moment.timestamp())
    signature = stripe.WebhookSignature._compute_signature(
        f"{second}.{body}", SECRETS[Scheme.STRIPE]
    )
    answer = post(paid, body.encode(), {"Stripe-Signature": f"t={second},v1={signature}"})
    assert answer.status_code == 202


@pytest.mark.parametrize("scheme", list(Scheme))
@pytest.mark.parametrize("body", [b"", b"a=1&b=2", b"<xml/>", b"\x00\xff\xfe", b'{"type": '])
def test_a_body_that_is_no_json_is_kept_all_the_same(scheme: Scheme, body: bytes) -> None:
    answer = post(source(scheme), body, content_type="application/x-www-form-urlencoded")

    assert answer.status_code == 202
    message = InboundMessage.objects.get()
    assert message.body is not None
    assert bytes(message.body) == body
    assert message.message_id
    assert message.content_type == "application/x-www-form-urlencoded"


def test_both_secrets_are_good_while_one_replaces_the_other() -> None:
    sender = source()
    old, body = SECRETS[Scheme.STANDARD], b"{}"
    new = inbound_sources.rotate_secret(source=sender).secret

    assert post(sender, body, secret=new).status_code == 202
    assert post(sender, body, secret=old).status_code == 202
    InboundSource.objects.update(previous_until=datetime.now(UTC))
    assert post(sender, body, secret=old).status_code == 401
    newer = inbound_sources.rotate_secret(source=sender, overlap_seconds=0).secret
    assert post(sender, body, secret=new).status_code == 401
    assert post(sender, body, secret=newer).status_code == 202


# --- Once ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", list(Scheme))
def test_the_same_message_again_answers_with_the_first_and_does_nothing(scheme: Scheme) -> None:
    sender, body = source(scheme), BODIES[scheme]
    first = post(sender, body, message_id="m1")
    run_jobs()

    again = post(sender, body, message_id="m1", seconds_off=7)

    assert again.status_code == 200
    assert again.json() == {"id": first.json()["id"], "duplicate": True}
    assert run_jobs() == 0
    assert Event.objects.filter(type="inbound.received").count() == 1


@pytest.mark.parametrize("scheme", [Scheme.TIMESTAMPED, Scheme.GITHUB])
def test_a_copy_with_another_id_in_an_unsigned_header_is_a_copy(scheme: Scheme) -> None:
    sender, body = source(scheme), b'{"type": "order.paid"}'
    headers = signed(scheme, body)
    post(sender, body, headers)
    name = "X-GitHub-Delivery" if scheme == Scheme.GITHUB else "X-Webhook-Id"
    bare = {key: value for key, value in headers.items() if key != name}

    for copied in ({**headers, name: "another"}, bare, {**headers, name: "x" * 999}):
        answer = post(sender, body, copied)
        assert (answer.status_code, answer.json()["duplicate"]) == (200, True)
    assert InboundMessage.objects.count() == 1


def test_the_same_id_of_another_source_is_another_message() -> None:
    for sender in (source(), source()):
        assert post(sender, b"{}", message_id="m1").status_code == 202


def test_messages_without_an_id_are_told_apart_by_what_was_signed() -> None:
    sender = source(Scheme.TIMESTAMPED)
    for seconds_off, body, status in ((0, b"{}", 202), (0, b"[]", 202), (1, b"{}", 202)):
        headers = signed(Scheme.TIMESTAMPED, body, seconds_off=seconds_off)
        del headers["X-Webhook-Id"]
        assert post(sender, body, headers).status_code == status
        assert post(sender, body, headers).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_fifty_copies_at_once_have_one_effect() -> None:
    sender, body = source(), BODIES[Scheme.STANDARD]
    headers = signed(Scheme.STANDARD, body)

    def send(_: int) -> int:
        try:
            return int(post(sender, body, headers).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=16) as pool:
        statuses = Counter(pool.map(send, range(50)))

    assert statuses == {202: 1, 200: 49}
    assert Job.objects.filter(kind=inbound_messages.KIND).count() == 1
    run_jobs()
    assert Event.objects.filter(type="inbound.received").count() == 1


def test_message_is_published_once_and_again_on_request_of_staff() -> None:
    message = make.inbound_message(source=source())
    inbound_messages.handle_again(message=message)
    inbound_messages.handle_again(message=message)

    run_jobs()
    assert Event.objects.filter(type="inbound.received").count() == 1

    inbound_messages.handle_again(message=message)
    run_jobs()
    assert Event.objects.filter(type="inbound.received").count() == 2


# --- Refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", list(Scheme))
def test_what_is_not_signed_rightly_is_refused_and_recorded(scheme: Scheme) -> None:
    sender, body = source(scheme), BODIES[scheme]
    good = signed(scheme, body)
    bad = signed(scheme, body, secret=ANOTHER_SECRET)

    answers = [post(sender, body, {}), post(sender, body, bad), post(sender, body + b" ", good)]

    codes = [(answer.status_code, answer.json()["code"]) for answer in answers]
    invalid = (401, "signature.invalid")
    assert codes == [(401, "signature.missing"), invalid, invalid]
    assert InboundMessage.objects.count() == 0
    recorded = refusals()
    assert [one.data["reason"] for one in recorded] == [code for _, code in codes]
    assert {one.data["source_id"] for one in recorded} == {str(sender.id)}
    assert {one.organization_id for one in recorded} == {sender.organization_id}
    assert {one.ip for one in recorded} == {"127.0.0.1"}


@pytest.mark.parametrize("scheme", [one for one in Scheme if one != Scheme.GITHUB])
@pytest.mark.parametrize("seconds_off", [-310, 310])
def test_a_message_of_another_time_is_refused(scheme: Scheme, seconds_off: int) -> None:
    answer = post(source(scheme), b"{}", seconds_off=seconds_off)

    assert (answer.status_code, answer.json()["code"]) == (401, "signature.too_old")
    assert len(refusals()) == 1


def test_a_flood_of_forgeries_leaves_few_rows() -> None:
    sender, other = source(), source()
    for _ in range(inbound_messages.REFUSALS_KEPT_PER_MINUTE + 5):
        assert post(sender, b"{}", {}).status_code == 401
    assert len(refusals()) == inbound_messages.REFUSALS_KEPT_PER_MINUTE

    post(other, b"{}", {})
    assert len(refusals()) == inbound_messages.REFUSALS_KEPT_PER_MINUTE + 1


def test_a_source_that_is_switched_off_or_gone_is_as_good_as_none() -> None:
    sender = source(is_enabled=False)
    nobody = source()
    InboundSource.objects.filter(id=nobody.id).delete()

    answers = [post(one, b"{}") for one in (sender, nobody)]

    assert [one.status_code for one in answers] == [404, 404]
    assert answers[0].json()["detail"] == answers[1].json()["detail"]
    assert refusals() == []


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_only_post_is_answered(method: str) -> None:
    assert APIClient().generic(method, address(source())).status_code == 405


def test_a_body_above_the_limit_is_refused_before_it_is_looked_at(settings: LazySettings) -> None:
    settings.INBOUND_MAX_BYTES = 100
    sender = source()

    assert post(sender, b" " * 100).status_code == 202
    answer = post(sender, b" " * 101)
    assert (answer.status_code, answer.json()["code"]) == (413, "inbound.too_large")


def test_a_length_that_lies_or_is_missing_is_refused(live_server: Any) -> None:
    sender, url = source(), urlsplit(live_server.url)
    for head, status in (
        ("Content-Length: 50", 400),
        ("Content-Length: 99999999999", 413),
        ("Transfer-Encoding: chunked", 400),
    ):
        request = f"POST {address(sender)} HTTP/1.1\r\nHost: {url.hostname}\r\n{head}\r\n\r\n{{"
        with socket.create_connection((url.hostname, url.port), timeout=10) as wire:
            wire.sendall(request.encode())
            wire.shutdown(socket.SHUT_WR)
            answer = wire.makefile("rb").readline()
        assert int(answer.split()[1]) == status, head
    assert InboundMessage.objects.count() == 0


# --- Whatever comes -----------------------------------------------------------------------------


def odd_bodies(rng: random.Random) -> list[bytes]:
    return [
        rng.randbytes(rng.randrange(300)),
        b'{"id": "' + b"x" * 5000 + b'", "type": "' + b"y" * 5000 + b'"}',
        b'{"id": "a\\u0000b", "type": "\\u0000", "data": {"id": "\\n"}}',
        b'{"id": ' + b"9" * 400 + b', "type": 1e999, "data": {"object": {"id": -0}}}',
        b'{"id": "a", "id": "b", "type": "a", "type": ["b"], "data": {"id": {}}}',
        b'{"data": ' * 5000 + b"1" + b"}" * 5000,
        b"[" * 100_000,
        b'{"id": true, "type": null, "data": "x"}',
        b'{"id": "\\ud800", "type": "\xed\xa0\x80"}',
        b'"\xff"',
        json.dumps({"id": "\u202e", "type": "\u00a0", "data": {"id": "😀" * 300}}).encode(),
    ]


def odd_values(rng: random.Random, good: str) -> list[str]:
    cut = rng.randrange(len(good) + 1)
    return [
        "",
        " ",
        good[:cut],
        good + good,
        good.replace(",", ", "),
        good.replace("v1", "v2"),
        f"v1,{good}",
        "é" * 40,
        "\u00ff\u0080",
        "9" * 5000,
        "-1",
        "1e9",
        "nan",
        "t=,v1=",
        "t=1,t=2,v1=zz",
        "sha256=",
        "v1," * 2000,
        "".join(chr(rng.randrange(32, 256)) for _ in range(60)),
    ]


@pytest.mark.parametrize("scheme", list(Scheme))
def test_no_body_and_no_header_ends_in_a_500(scheme: Scheme) -> None:
    rng, sender = random.Random(6), source(scheme)
    for body in odd_bodies(rng):
        kind = rng.choice(["application/json", "text/plain", "multipart/form-data", "x/", ""])
        answer = post(sender, body, content_type=kind)
        assert answer.status_code in (200, 202), (body[:60], answer.content)
    body = b'{"id": 1}'
    for name, good in signed(scheme, body).items():
        for value in odd_values(rng, good):
            headers = {**signed(scheme, body), name: value}
            answer = post(sender, body, headers, content_type="application/json")
            assert answer.status_code in (200, 202, 401), (name, value, answer.content)
    run_jobs()
    assert InboundMessage.objects.filter(handled_at=None).count() == 0


def test_what_is_kept_can_be_shown() -> None:
    sender = source(Scheme.TIMESTAMPED)
    for body in odd_bodies(random.Random(7)):
        headers = signed(Scheme.TIMESTAMPED, body)
        del headers["X-Webhook-Id"]
        post(sender, body, headers, content_type="é")
    for message in InboundMessage.objects.all():
        for shown in (message.message_id, message.type, message.object_id, message.content_type):
            assert shown.isprintable()
            assert len(shown) <= 255
        assert message.message_id


def test_a_source_sends_so_many_messages_a_minute_and_no_more(settings: LazySettings) -> None:
    settings.INBOUND_MESSAGES_PER_MINUTE = 2
    sender, other = source(), source()
    for _ in range(3):
        post(sender, b"{}", secret=ANOTHER_SECRET)  # is nobody's message
    kept = [post(sender, b"{}", message_id=name).status_code for name in ("m1", "m2")]
    assert kept == [202, 202]

    answer = post(sender, b"{}")

    assert (answer.status_code, answer.json()["code"]) == (503, "inbound.too_many")
    assert post(sender, b"{}", message_id="m1").status_code == 200, "a copy is told so all the same"
    assert 50 < int(answer["Retry-After"]) <= 60
    assert post(other, b"{}").status_code == 202
    InboundMessage.objects.update(created_at=database_now(plus_seconds=-61))
    assert post(sender, b"{}").status_code == 202


def test_a_refused_signature_does_not_ask_for_an_api_key() -> None:
    answer = post(source(), b"{}", {})
    assert answer.status_code == 401
    assert "Bearer" not in answer["WWW-Authenticate"]
