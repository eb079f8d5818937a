"""Receivers that misbehave in every way, senders that are killed, and ten thousand at once."""

from __future__ import annotations

import gzip
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from core.db.clock import database_now
from tests import make
from tests.bench.receivers import customer
from tests.faults import ledger
from tests.faults.servers import Servers
from tests.faults.site import Site
from tests.processes import free_port, house, wait_until
from tests.storage import mark_storage
from tests.webhooks.receivers import Received, Reply, raw_receiver, receiver
from tests.webhooks.sending import create_waiting_deliveries
from webhooks.models import Delivery, DeliveryAttempt, DeliveryStatus, Endpoint
from webhooks.models.delivery import ENDED
from webhooks.services import sender_jobs

WAITING = 10_000
SHORT_TIMES = {
    "WEBHOOK_DEADLINE_SECONDS": "1",
    "WEBHOOK_RETRY_SCHEDULE": "0.2,0.2",
    "WEBHOOK_BREAKER_SECONDS": "0.5",
    "SSRF_ALLOW_CIDRS": "127.0.0.0/8",
    "OUTBOUND_ALLOW_HTTP": "true",
}
OK = b"HTTP/1.1 200 OK\r\n"
MEGABYTE = 2**20


@pytest.fixture
def site(
    request: pytest.FixtureRequest,
    transactional_db: None,
    servers: Servers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Site]:
    """An installation that gives up soon, or when the test says, and may send to this machine."""
    for name in ("files", "passing"):
        (tmp_path / name).mkdir()
    mark_storage(tmp_path / "files")
    monkeypatch.setenv(ledger.FOLDER, str(tmp_path))
    servers.empty_redis()
    environment: dict[str, Any] = {
        "STORAGE_URL": str(tmp_path / "files"),
        "TMPDIR": str(tmp_path / "passing"),
        **SHORT_TIMES,
        **getattr(request, "param", {}),
    }
    with house(tmp_path / "house", **environment) as started:
        made = Site(started, servers)
        yield made
        made.close()


# --- Receivers ------------------------------------------------------------------------------------


def trickle(connection: socket.socket, first: bytes, more: bytes) -> None:
    """A little at a time, so that no wait for the next byte is ever long."""
    connection.recv(65536)
    connection.sendall(first)
    for _ in range(600):
        connection.sendall(more)
        time.sleep(0.05)


def trickle_headers(connection: socket.socket) -> None:
    trickle(connection, OK, b"X-More: y\r\n")


def trickle_body(connection: socket.socket) -> None:
    trickle(connection, OK + b"Content-Length: 100000\r\n\r\n", b"y")


def never_answer(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.recv(1)


def close_half_way(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(OK + b"Content-Length: 100\r\n\r\nhalf")


class Flood:
    """Answers 200 and as much as is taken of a gigabyte, and remembers how much that was."""

    def __init__(self, headers: bytes, part: bytes) -> None:
        self.headers, self.part = headers, part
        self.taken: list[int] = []

    def __call__(self, connection: socket.socket) -> None:
        connection.recv(65536)
        sent = 0
        try:
            connection.sendall(OK + self.headers + b"Content-Length: %d\r\n\r\n" % 2**30)
            while sent < 2**30:
                sent += connection.send(self.part)
        finally:
            self.taken.append(sent)


def flapping() -> Callable[[Received], Reply]:
    """Each id is refused when it comes for the first time."""
    seen: set[str] = set()

    def answer(request: Received) -> Reply:
        is_known = request.id in seen
        seen.add(request.id)
        return Reply(200 if is_known else 503)

    return answer


@contextmanager
def raw(*behaviours: Callable[[socket.socket], None]) -> Iterator[list[str]]:
    with ExitStack() as stack:
        yield [stack.enter_context(raw_receiver(one)) for one in behaviours]


def owe(url: str, many: int, **fields: Any) -> Endpoint:
    endpoint = make.endpoint(url=url, **fields)
    create_waiting_deliveries(endpoint, many)
    return endpoint


def ask() -> None:
    with transaction.atomic():
        sender_jobs.request_sender()


def wait_for_the_end(patience: float = 120.0) -> None:
    left = Delivery.objects.exclude(status__in=ENDED)
    wait_until(lambda: not left.exists(), "every delivery has ended", patience=patience, every=0.2)


def outcomes(endpoint: Endpoint) -> Counter[tuple[str, str]]:
    """How its deliveries ended, and of what."""
    rows = Delivery.objects.filter(endpoint=endpoint)
    return Counter(rows.values_list("status", "last_error_kind"))


# --- Tests ----------------------------------------------------------------------------------------


def test_no_receiver_harms_anybody_but_itself(site: Site) -> None:
    site.relay()
    worker = site.worker()
    flood = Flood(b"", b"x" * 65536)
    bomb = Flood(b"Content-Encoding: gzip\r\n", gzip.compress(bytes(16 * MEGABYTE)))
    redirect = Reply(307, {"location": "http://169.254.169.254/latest/meta-data/"})
    hopeless = (trickle_headers, trickle_body, never_answer, close_half_way)
    with (
        raw(*hopeless) as bad,
        raw(flood, bomb) as floods,
        receiver(redirect) as sly,
        receiver(flapping()) as fickle,
        receiver() as healthy,
    ):
        failing = [owe(url, 2) for url in (*bad, sly.url, f"http://127.0.0.1:{free_port()}/")]
        large = [owe(url, 3) for url in floods]
        flaps, fine = owe(fickle.url, 12), owe(healthy.url, 40, last_success_at=database_now())
        ask()
        wait_for_the_end()

        kinds = ("timeout", "timeout", "timeout", "closed", "redirect", "refused")
        for endpoint, kind in zip(failing, kinds, strict=True):
            assert outcomes(endpoint) == {(DeliveryStatus.DEAD, kind): 2}
        for endpoint in (flaps, fine, *large):
            assert {status for status, _ in outcomes(endpoint)} == {DeliveryStatus.SUCCEEDED}
        assert len(healthy.received) == len(set(healthy.ids)) == 40
        assert len(sly.received) == 2 * 3, "it was asked again, and never followed"
        assert max(flood.taken + bomb.taken) < 32 * MEGABYTE, "sockets hold some; nobody read it"

    assert set(DeliveryAttempt.objects.values_list("address", flat=True)) <= {"127.0.0.1", None}
    healthy_end = Delivery.objects.filter(endpoint=fine).order_by("-ended_at")[0].ended_at
    assert healthy_end is not None
    slow = DeliveryAttempt.objects.filter(error_kind="timeout").order_by("created_at")[0]
    assert healthy_end < slow.created_at, "who answers at once waited for nobody"
    memory = max(process.memory_info().rss for process in site.pool_of(worker))
    assert memory < 600 * MEGABYTE
    assert site.nobody_died()


def test_what_a_killed_worker_had_sent_comes_again_under_the_same_id(site: Site) -> None:
    """Also when Redis forgets everything at that moment."""
    site.relay()
    killed = site.worker()

    def slowly(_request: Received) -> Reply:
        time.sleep(0.5)
        return Reply()

    with receiver(slowly) as slow, receiver() as fast:
        held = owe(slow.url, 4)
        ask()
        wait_until(lambda: len(slow.received) >= 4, "they were sent")
        site.house.kill(killed)
        waiting = owe(fast.url, 20)
        site.servers.empty_redis()
        site.worker()
        wait_for_the_end()

    assert Counter(slow.ids) == dict.fromkeys(map(str, _events(held)), 2), "once more, not lost"
    assert len({(request.id, request.body) for request in slow.received}) == 4
    assert Counter(fast.ids) == dict.fromkeys(map(str, _events(waiting)), 1)
    for delivery in Delivery.objects.filter(endpoint=held):
        numbered = delivery.attempts.order_by("number").values_list("number", "error_kind")
        assert list(numbered) == [(1, "sender_lost"), (2, "")]


def test_a_database_that_goes_away_in_between_loses_nothing(site: Site) -> None:
    site.relay()
    site.worker()

    def slowly(_request: Received) -> Reply:
        time.sleep(0.3)
        return Reply()

    with receiver(slowly) as slow:
        endpoint = owe(slow.url, 60)
        ask()
        wait_until(lambda: len(slow.received) >= 16, "some are in flight")
        site.servers.stop_postgresql()
        site.servers.start()
        wait_for_the_end()
    assert set(slow.ids) == set(map(str, _events(endpoint)))
    assert {status for status, _ in outcomes(endpoint)} == {DeliveryStatus.SUCCEEDED}
    assert site.nobody_died()


def _events(endpoint: Endpoint) -> list[object]:
    return list(Delivery.objects.filter(endpoint=endpoint).values_list("event_id", flat=True))


@pytest.mark.parametrize("site", [{"WEBHOOK_DEADLINE_SECONDS": "10"}], indirect=True)
def test_ten_thousand_that_wait_are_sent_once_by_two_senders_and_two_relays(site: Site) -> None:
    relays = [site.relay(), site.relay()]
    site.worker()
    with customer() as far_side:
        for number in range(10):
            owe(far_side.url(f"fast/{number}"), WAITING // 10)
        ask()
        wait_for_the_end()
        requests, different = far_side.count()

    assert (requests, different) == (WAITING, WAITING)
    assert DeliveryAttempt.objects.count() == WAITING
    assert set(Delivery.objects.values_list("status", flat=True)) == {DeliveryStatus.SUCCEEDED}
    assert [relay.poll() for relay in relays] == [None, None]
