"""What is not received is sent again by the schedule, and given up in the end."""

from __future__ import annotations

import socket
import time
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from core.db.clock import database_now
from core.events.models import Event
from tests import make
from tests.processes import free_port
from tests.webhooks.receivers import Received, Reply, raw_receiver, receiver
from tests.webhooks.sending import seconds_until, send_again, sent
from webhooks.delivery.excerpts import readable
from webhooks.models import Delivery, DeliveryStatus, DisabledReason, Endpoint

pytestmark = pytest.mark.django_db

REDIRECT = Reply(302, {"location": "http://169.254.169.254/latest/meta-data/"})


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (REDIRECT, "redirect"),
        (Reply(404, body=b"no such thing"), "status"),
        (Reply(500), "status"),
        (Reply(304), "redirect"),
    ],
)
def test_only_2xx_is_success_and_redirects_are_not_followed(reply: Reply, kind: str) -> None:
    with receiver(reply) as customer:
        delivery = make.delivery(endpoint=make.endpoint(url=customer.url))
        attempt = sent(delivery)

    assert len(customer.received) == 1
    assert (attempt.status_code, attempt.error_kind) == (reply.status, kind)
    assert attempt.excerpt == reply.body.decode()
    assert (delivery.status, delivery.last_error_kind) == (DeliveryStatus.QUEUED, kind)
    assert delivery.next_attempt_at is not None
    assert seconds_until(delivery.next_attempt_at) <= 6
    assert (delivery.next_attempt_at - attempt.started_at).total_seconds() >= 4
    assert Endpoint.objects.get(id=delivery.endpoint_id).failures_in_a_row == 1


def trickle_head(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(600):
        connection.sendall(b"x-%d: y\r\n" % number)
        time.sleep(0.05)


def never_answer(connection: socket.socket) -> None:
    connection.recv(1)
    time.sleep(30)


def close_half_way(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")


def speak_something_else(connection: socket.socket) -> None:
    connection.sendall(b"220 mail.example.org ESMTP\r\n")
    connection.recv(1)


@pytest.mark.parametrize(
    ("behave", "kind"),
    [
        (trickle_head, "timeout"),
        (never_answer, "timeout"),
        (close_half_way, "closed"),
        (speak_something_else, "protocol"),
    ],
)
def test_a_receiver_without_a_whole_answer_fails_within_the_deadline(
    settings: Settings, behave: object, kind: str
) -> None:
    settings.WEBHOOK_DEADLINE_SECONDS = 0.4
    with raw_receiver(behave) as url:  # type: ignore[arg-type]
        delivery = make.delivery(endpoint=make.endpoint(url=url))
        attempt = sent(delivery)

    assert (attempt.error_kind, attempt.status_code) == (kind, None)
    assert delivery.status == DeliveryStatus.QUEUED


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        (f"http://127.0.0.1:{free_port()}/", "refused"),
        ("http://169.254.169.254/latest/", "address_refused"),
        ("http://no-such-name.invalid/", "name_unknown"),
        ("ftp://127.0.0.1/", "url_refused"),
    ],
    ids=["nobody listens", "private", "no such name", "no web address"],  # a port differs
)
def test_an_address_that_leads_nowhere_fails_like_any_other(url: str, kind: str) -> None:
    delivery = make.delivery(endpoint=make.endpoint(url=url))
    assert sent(delivery).error_kind == kind
    assert delivery.status == DeliveryStatus.QUEUED


def test_delivery_is_retried_by_the_schedule_then_exhausted(
    settings: Settings,
) -> None:
    settings.WEBHOOK_RETRY_SCHEDULE = [5, 300, 1800]
    settings.WEBHOOK_BREAKER_FAILURES = 100
    with receiver(Reply(500)) as customer:
        endpoint = make.endpoint(url=customer.url)
        delivery = make.delivery(endpoint=endpoint)
        sent(delivery)
        waits = []
        for _ in range(3):
            waits.append(seconds_until(delivery.next_attempt_at))
            send_again(delivery)

    for wait, planned in zip(waits, [5, 300, 1800], strict=True):
        assert 0.79 * planned - 1 < wait <= 1.2 * planned
    assert (delivery.status, delivery.attempt_count) == (DeliveryStatus.DEAD, 4)
    assert delivery.next_attempt_at is None
    event = Event.objects.get(type="delivery.exhausted")
    assert event.data == {
        "delivery_id": str(delivery.id),
        "endpoint_id": str(endpoint.id),
        "event_id": str(delivery.event_id),
        "event_type": "meeting.created",
        "error_kind": "status",
        "status_code": 500,
    }
    assert not Delivery.objects.filter(event=event, endpoint=endpoint).exists()


def test_410_ends_the_delivery_and_disables_the_endpoint() -> None:
    with receiver(Reply(410)) as customer:
        endpoint = make.endpoint(url=customer.url)
        gone, waiting = (make.delivery(endpoint=endpoint) for _ in range(2))
        Delivery.objects.filter(id=waiting.id).update(
            next_attempt_at=gone.created_at + timedelta(hours=1)
        )
        sent(gone)

    assert (gone.status, gone.last_error_kind) == (DeliveryStatus.FAILED, "gone")
    endpoint.refresh_from_db()
    assert endpoint.disabled_reason == DisabledReason.GONE
    assert Event.objects.filter(type="endpoint.disabled").count() == 1
    send_again_of = Delivery.objects.get(id=waiting.id)
    Delivery.objects.filter(id=waiting.id).update(next_attempt_at=database_now())
    with pytest.raises(IndexError):
        sent(send_again_of)


@pytest.mark.parametrize(
    ("status", "wish", "wait", "pause"),
    [
        (503, "120", 120, 120),
        (429, "in_an_hour", 3600, 3600),
        (500, "120", 120, None),
        (503, "0", 4, None),
        (429, "999999999999999", 86_400, 86_400),
        (503, "soon", 4, None),
    ],
)
def test_a_receiver_may_ask_for_more_time_within_a_day(
    status: int, wish: str, wait: float, pause: float | None
) -> None:
    if wish == "in_an_hour":
        wish = format_datetime(database_now(plus_seconds=3600), usegmt=False)
    with receiver(Reply(status, {"retry-after": wish})) as customer:
        endpoint = make.endpoint(url=customer.url)
        delivery = make.delivery(endpoint=endpoint)
        sent(delivery)

    assert wait - 5 < seconds_until(delivery.next_attempt_at) <= max(wait, 6)
    endpoint.refresh_from_db()
    if pause is None:
        assert endpoint.paused_until is None
    else:
        assert pause - 5 < seconds_until(endpoint.paused_until) <= pause


def test_days_of_nothing_but_failures_disable_an_endpoint_and_a_success_forgives(
    settings: Settings,
) -> None:
    settings.WEBHOOK_BREAKER_FAILURES = 1000
    begun: dict[str, Any] = {
        "failures_in_a_row": 8,
        "failing_since": database_now(plus_seconds=-6 * 86_400),
    }
    with receiver(Reply(500)) as customer:
        forgiven, endpoint = (make.endpoint(url=customer.url, **begun) for _ in range(2))
        first, second = (make.delivery(endpoint=endpoint) for _ in range(2))
        Delivery.objects.filter(id=second.id).update(next_attempt_at=database_now(plus_seconds=600))
        sent(first)
        endpoint.refresh_from_db()
        assert (endpoint.failures_in_a_row, endpoint.disabled_at) == (9, None)
        send_again(second)
        customer.reply = Reply(200)
        sent(make.delivery(endpoint=forgiven))

    endpoint.refresh_from_db()
    assert endpoint.disabled_reason == DisabledReason.FAILING
    forgiven.refresh_from_db()
    assert (forgiven.failures_in_a_row, forgiven.failing_since) == (0, None)
    assert forgiven.disabled_at is None


def test_what_is_kept_of_an_answer_is_short_readable_and_without_secrets() -> None:
    def repeat(request: Received) -> Reply:
        said = f"got {request.headers['webhook-signature']} with whsec_{'a' * 32} \0 "
        return Reply(400, body=said.encode() + b"\xff" + b" x" * 10_000)

    with receiver(repeat) as customer:
        excerpt = sent(make.delivery(endpoint=make.endpoint(url=customer.url))).excerpt

    assert excerpt.startswith("got [hidden] with whsec_[hidden]")
    assert "\0" not in excerpt
    assert "\N{REPLACEMENT CHARACTER} x" in excerpt
    assert len(excerpt) <= 4096


@pytest.mark.parametrize("part", ["/", "a", "://a:", "a:/", "token"])
def test_an_answer_made_to_be_slow_to_read_is_cut(part: str) -> None:
    text = readable(b"secret=x " + part.encode() * 4096 + b" end")
    assert text == "secret=[hidden] [...]"
