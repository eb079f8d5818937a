"""A post goes where it was checked, comes back in time, and trusts nothing it is told."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import threading
from collections.abc import Coroutine
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pytest_django.fixtures import Settings

from core.outbound import client as module
from core.outbound import dns
from core.outbound.client import Answer, Client, Kind, NotDelivered
from core.outbound.connection import ANSWER_BYTES, EXCERPT_BYTES, Connection, is_peer
from core.outbound.dns import Addresses, UnknownHost
from tests.core.outbound.far_side import (
    OK,
    Behaviour,
    Caller,
    answering,
    certificates,
    closing_after,
    far_side,
    repeating,
    saying,
)

T = TypeVar("T")
SHORT = 0.2
LONG = 10.0
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(autouse=True)
def _this_machine_is_open(settings: Settings) -> None:
    settings.SSRF_ALLOW_CIDRS = ["127.0.0.0/8", "::1/128"]


def run(story: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(story)


async def post(client: Client, url: str, *, seconds: float = LONG, **headers: str) -> Answer:
    return await client.post(
        url, body=b'{"a":1}', headers={"Webhook-Id": "1", **headers}, deadline_seconds=seconds
    )


async def kind_of(client: Client, url: str, *, seconds: float = LONG) -> Kind:
    with pytest.raises(NotDelivered) as caught:
        await post(client, url, seconds=seconds)
    return caught.value.kind


def told(behaviour: Behaviour, *, seconds: float = LONG) -> tuple[Answer | Kind, int]:
    """What comes of one post to such a server, and how many connections it took."""

    async def story() -> tuple[Answer | Kind, int]:
        async with far_side(behaviour) as side, Client() as client:
            try:
                outcome: Answer | Kind = await post(client, side.url, seconds=seconds)
            except NotDelivered as error:
                outcome = error.kind
            return outcome, side.connections

    return run(story())


def test_what_is_posted_arrives_and_the_answer_comes_back() -> None:
    async def story() -> tuple[Answer, bytes, str]:
        said = b"HTTP/1.1 202 Fine\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 5\r\n\r\nhello"
        async with far_side(saying(said)) as side, Client() as client:
            answer = await post(client, f"{side.url}?x=ü", a="b")
            return answer, side.seen[0], f"127.0.0.1:{side.port}"

    answer, seen, authority = run(story())
    head, _, body = seen.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")

    assert (answer.status, answer.excerpt, answer.address) == (202, b"hello", "127.0.0.1")
    assert answer.headers["x-a"] == "1, 2"
    assert 0 <= answer.duration_ms < 10_000
    assert body == b'{"a":1}'
    assert lines[:2] == ["POST /hook?x=%C3%BC HTTP/1.1", f"Host: {authority}"]
    assert {"Accept-Encoding: identity", "Content-Length: 7", "Webhook-Id: 1", "a: b"} <= {*lines}


def test_a_connection_is_kept_for_the_next_post_but_not_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story() -> list[int]:
        counts = []
        async with far_side(answering) as side, Client() as client:
            for seconds in (LONG, LONG, 0.0, 0.0):
                monkeypatch.setattr(module, "KEEP_ALIVE_SECONDS", seconds)
                await post(client, side.url)
                counts.append(side.connections)
        return counts

    assert run(story()) == [1, 1, 2, 3]


def test_connections_that_are_not_used_again_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEEP_ALIVE_SECONDS", 0.01)

    async def story() -> None:
        async with far_side(answering) as side, Client() as client:
            await asyncio.gather(*(post(client, side.url) for _ in range(30)))
            while side.ended < side.connections:
                await asyncio.sleep(0.001)

    run(story())


def test_no_more_connections_are_kept_than_a_process_may_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "KEPT_IN_ALL", 2)

    async def story() -> tuple[int, int]:
        async with far_side(answering) as side, far_side(answering) as other, Client() as client:
            posts = [post(client, side.url) for _ in range(3)]
            await asyncio.gather(*posts, post(client, other.url))
            while side.ended + other.ended < 2:
                await asyncio.sleep(0.001)
            return side.connections + other.connections, client._idle_count

    assert run(story()) == (4, 2)


def test_a_client_that_is_closed_keeps_nothing_of_a_post_that_was_under_way() -> None:
    async def story() -> int:
        arrived, go_on = asyncio.Event(), asyncio.Event()

        async def behave(caller: Caller) -> None:
            await caller.request()
            arrived.set()
            await go_on.wait()
            await caller.say(OK)
            await caller.hang_up_seen()

        async with far_side(behave) as side:
            async with Client() as client:
                under_way = asyncio.ensure_future(post(client, side.url))
                await arrived.wait()
            go_on.set()
            answer = await under_way
            while side.ended < 1:
                await asyncio.sleep(0.001)
            return answer.status

    assert run(story()) == 200


def test_many_posts_at_once_have_connections_of_their_own() -> None:
    async def story() -> tuple[int, int]:
        together = asyncio.Barrier(20)

        async def behave(caller: Caller) -> None:
            await caller.request()
            await together.wait()
            await caller.say(OK)
            await caller.hang_up_seen()

        async with far_side(behave) as side, Client() as client:
            answers = await asyncio.gather(*(post(client, side.url) for _ in range(20)))
            return side.connections, len(answers)

    assert run(story()) == (20, 20)


# --- Addresses ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "status", "excerpt"),
    [
        (b"HTTP/1.1 204 None\r\n\r\n", 204, b""),
        (b"HTTP/1.1 304 Same\r\nContent-Length: 9\r\n\r\n", 304, b""),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", 500, b""),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hint\r\nA: b\r\n\r\n" + OK, 200, b"ok"),
        (CHUNKED + b"2;x=y\r\nab\r\n3\r\ncde\r\n0\r\nTrailer: t\r\n\r\n", 200, b"abcde"),
        (
            b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n",
            302,
            b"",
        ),
    ],
)
def test_every_answer_is_an_answer(said: bytes, status: int, excerpt: bytes) -> None:
    answer, connections = told(saying(said))

    assert isinstance(answer, Answer)
    assert (answer.status, answer.excerpt, connections) == (status, excerpt, 1)


@pytest.mark.parametrize("said", [b"HTTP/1.0 200 OK\r\n\r\nold", b"HTTP/1.1 200 OK\r\n\r\nold"])
def test_a_body_may_end_with_its_connection(said: bytes) -> None:
    answer, _ = told(closing_after(said))

    assert isinstance(answer, Answer)
    assert answer.excerpt == b"old"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (b"", Kind.CLOSED),
        (b"HTTP/1.1 200 O", Kind.CLOSED),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", Kind.CLOSED),
        (CHUNKED + b"5\r\nhal", Kind.CLOSED),
        (b"HTTP/1.1 100 Continue\r\n\r\n", Kind.CLOSED),
        (b"hello there\r\n\r\n", Kind.PROTOCOL),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Kind.PROTOCOL),
        (b"\x16\x03\x01\x00\x05hello", Kind.PROTOCOL),
        (b"HTTP/1.1 2000 OK\r\n\r\n", Kind.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", Kind.PROTOCOL),
        (CHUNKED + b"xyz\r\n", Kind.PROTOCOL),
        (b"HTTP/1.1 101 Up\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", Kind.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 9000, Kind.TOO_LARGE),
        (b"HTTP/1.1 200 OK\r\nA: " + b"b" * 99_000, Kind.TOO_LARGE),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 4000, Kind.TOO_LARGE),
    ],
)
def test_what_is_no_answer_is_told_apart(said: bytes, kind: Kind) -> None:
    assert told(closing_after(said)) == (kind, 1)


def test_an_endless_answer_is_left_after_64_kb_and_its_connection_with_it() -> None:
    async def story() -> tuple[Answer, int]:
        taken = 0

        async def behave(caller: Caller) -> None:
            nonlocal taken
            caller.writer.transport.set_write_buffer_limits(0)
            await caller.request()
            await caller.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
            while taken < 1024**3:
                await caller.say(b"x" * 65536)
                taken += 65536

        async with far_side(behave) as side, Client() as client:
            answer = await post(client, side.url)
            while side.ended < 1:
                await asyncio.sleep(0)
            return answer, taken

    answer, taken = run(story())

    assert (answer.status, answer.excerpt) == (200, b"x" * EXCERPT_BYTES)
    assert ANSWER_BYTES / 2 <= taken < 16 * 1024**2  # what the kernel holds is not read


def test_nothing_is_unpacked() -> None:
    bomb = gzip.compress(bytes(10 * 1024**2))
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    answer, _ = told(saying(head + bomb))

    assert isinstance(answer, Answer)
    assert answer.excerpt == bomb[:EXCERPT_BYTES]


@pytest.mark.parametrize(
    "behaviour",
    [
        saying(b""),
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
        repeating(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n", seconds=0.02),
        repeating(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", b"x", seconds=0.02),
        repeating(b"HTTP/1.1 200 OK\r\n\r\n", b"x", seconds=0.02),
        repeating(CHUNKED, b"1\r\nx\r\n", seconds=0.02),
    ],
)
def test_one_deadline_covers_the_whole_exchange(behaviour: Behaviour) -> None:
    async def story() -> NotDelivered:
        async with far_side(behaviour) as side, Client() as client:
            with pytest.raises(NotDelivered) as caught:
                await post(client, side.url, seconds=SHORT)
            while side.ended < 1:  # its connection is closed as well
                await asyncio.sleep(0.001)
            return caught.value

    late = run(story())

    assert (late.kind, late.address) == (Kind.TIMEOUT, "127.0.0.1")
    assert late.duration_ms >= 1000 * SHORT - 1


# --- Kept connections ----------------------------------------------------------------------------


def test_a_kept_connection_that_the_other_side_closed_is_replaced_once() -> None:
    async def story() -> tuple[int, int, Kind]:
        async def behave(caller: Caller) -> None:
            await caller.request()
            await caller.say(OK)
            await caller.request()  # and hangs up without a word

        async def never_again(caller: Caller) -> None:
            await caller.request()
            if caller.number == 1:
                await caller.say(OK)
                await caller.request()

        async with far_side(behave) as side, Client() as client:
            for _ in range(2):
                await post(client, side.url)
        async with far_side(never_again) as other, Client() as client:
            await post(client, other.url)
            kind = await kind_of(client, other.url)
            return side.connections, other.connections, kind

    assert run(story()) == (2, 2, Kind.CLOSED)


@pytest.mark.parametrize(
    "said",
    [
        OK + b"HTTP/1.1 500 Injected\r\nContent-Length: 0\r\n\r\n",
        OK + b"garbage",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_an_answer_that_nobody_asked_for_answers_no_other_post(said: bytes) -> None:
    async def story() -> tuple[list[int], int]:
        async with far_side(saying(said)) as side, Client() as client:
            answers = [await post(client, side.url) for _ in range(2)]
            return [answer.status for answer in answers], side.connections

    assert run(story()) == ([200, 200], 2)


def test_what_comes_between_two_posts_ends_the_connection() -> None:
    async def story() -> tuple[int, int]:
        async def behave(caller: Caller) -> None:
            await caller.request()
            await caller.say(OK)
            await asyncio.sleep(0.01)
            await caller.say(b"HTTP/1.1 500 Injected\r\nContent-Length: 0\r\n\r\n")
            await caller.hang_up_seen()

        async with far_side(behave) as side, Client() as client:
            await post(client, side.url)
            while side.ended < 1:
                await asyncio.sleep(0.001)
            return (await post(client, side.url)).status, side.connections

    assert run(story()) == (200, 2)


# --- Addresses ------------------------------------------------------------------------------------


def answers_in_turn(*turns: tuple[str, ...]) -> Any:
    """A resolver whose answers change; the last stays."""
    left = list(turns)

    def resolve(_host: str) -> Addresses:
        texts = left.pop(0) if len(left) > 1 else left[0]
        return tuple(map(ip_address, texts))

    return resolve


@pytest.mark.parametrize("inside", ["10.0.0.1", "169.254.169.254", "::ffff:10.0.0.1", "fd00::1"])
def test_one_inner_address_refuses_all_of_a_name_and_nothing_is_dialled(inside: str) -> None:
    async def story() -> tuple[Kind, int]:
        resolver = answers_in_turn(("127.0.0.1", inside))
        async with far_side(answering) as side, Client(lookup=resolver) as client:
            return await kind_of(client, f"http://a.example:{side.port}/"), side.connections

    assert run(story()) == (Kind.ADDRESS_REFUSED, 0)


def test_answers_that_change_are_checked_each_time_also_for_a_kept_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dns, "CACHE_SECONDS", 0.0)

    async def story() -> tuple[int, Kind, int]:
        resolver = answers_in_turn(("127.0.0.1",), ("169.254.169.254",), ("127.0.0.1",))
        async with far_side(answering) as side, Client(lookup=resolver) as client:
            url = f"http://a.example:{side.port}/"
            await post(client, url)
            kind = await kind_of(client, url)
            return (await post(client, url)).status, kind, side.connections

    assert run(story()) == (200, Kind.ADDRESS_REFUSED, 1)


def test_an_address_that_is_closed_again_is_not_used_by_a_kept_connection(
    settings: Settings,
) -> None:
    async def story() -> tuple[Kind, int]:
        async with far_side(answering) as side, Client() as client:
            await post(client, side.url)
            settings.SSRF_ALLOW_CIDRS = []
            return await kind_of(client, side.url), len(side.seen)

    assert run(story()) == (Kind.ADDRESS_REFUSED, 1)


def test_the_peer_of_a_socket_is_told_from_another(settings: Settings) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    with server, socket.create_connection(server.getsockname()) as made:
        assert is_peer(made, ip_address("127.0.0.1"))
        assert not is_peer(made, ip_address("127.0.0.2"))
        settings.SSRF_ALLOW_CIDRS = []
        assert not is_peer(made, ip_address("127.0.0.1"))


def test_a_connection_that_was_led_elsewhere_is_given_up_before_a_byte(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story() -> tuple[Kind, list[bytes]]:
        loop = asyncio.get_running_loop()
        dial = loop.sock_connect

        async def divert(made: socket.socket, place: Any) -> None:
            await dial(made, ("127.0.0.1", place[1]))

        monkeypatch.setattr(loop, "sock_connect", divert)
        resolver = answers_in_turn(("127.0.0.2",))
        async with far_side(answering) as side, Client(lookup=resolver) as client:
            return await kind_of(client, f"http://a.example:{side.port}/"), side.seen

    assert run(story()) == (Kind.ADDRESS_REFUSED, [])


def test_a_kept_connection_whose_peer_is_another_now_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story() -> tuple[int, int]:
        async with far_side(answering) as side, Client() as client:
            await post(client, side.url)
            monkeypatch.setattr(Connection, "confirm_peer", lambda _self: False)
            await post(client, side.url)
            return side.connections, len(side.seen)

    assert run(story()) == (2, 2)


def test_a_server_that_is_not_there_is_told_and_the_next_address_tried() -> None:
    async def story() -> tuple[Kind, str]:
        async with far_side(answering) as side:
            async with Client(lookup=answers_in_turn(("127.0.0.2",))) as client:
                kind = await kind_of(client, f"http://a.example:{side.port}/")
            async with Client(lookup=answers_in_turn(("127.0.0.2", "127.0.0.1"))) as client:
                return kind, (await post(client, f"http://a.example:{side.port}/")).address

    assert run(story()) == (Kind.REFUSED, "127.0.0.1")


def test_a_name_nobody_knows_and_a_name_server_that_is_silent_are_told_apart() -> None:
    release = threading.Event()

    def resolve(host: str) -> Addresses:
        if host == "silent.example":
            release.wait(LONG)
        raise UnknownHost("NXDOMAIN")

    async def story() -> tuple[Kind, Kind]:
        async with Client(lookup=resolve) as client:
            silent, nobody = await asyncio.gather(
                kind_of(client, "https://silent.example/", seconds=SHORT),
                kind_of(client, "https://nobody.example/"),
            )
            release.set()
            return silent, nobody

    assert run(story()) == (Kind.TIMEOUT, Kind.NAME_UNKNOWN)


@pytest.mark.parametrize("url", ["http://a.example/", "https://u@a.example/", "ftp://a", ""])
def test_a_url_that_is_not_allowed_any_more_is_told(settings: Settings, url: str) -> None:
    settings.OUTBOUND_ALLOW_HTTP = False

    async def story() -> Kind:
        async with Client() as client:
            return await kind_of(client, url)

    assert run(story()) == Kind.URL_REFUSED


def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    answer, _ = told(answering)

    assert isinstance(answer, Answer)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("host", "inside"),
        ("Content-Length", "0"),
        ("transfer-encoding", "chunked"),
        ("Accept-Encoding", "gzip"),
        ("a b", "x"),
        ("a\r\nb", "x"),
        ("", "x"),
        ("a", "x\r\nb: y"),
        ("a", "ü"),
    ],
)
def test_a_header_that_would_change_the_message_is_an_error(name: str, value: str) -> None:
    async def story() -> None:
        async with far_side(answering) as side, Client() as client:
            with pytest.raises(ValueError, match="cannot be sent"):
                await client.post(side.url, body=b"", headers={name: value})
            assert side.connections == 0

    run(story())


# --- TLS ------------------------------------------------------------------------------------------


def over_tls(
    folder: Path, *names: str, host: str = "hooks.example", trust: bool = True
) -> Answer | Kind:
    """What comes of two posts to a server with a certificate for the names."""
    shown, trusted = certificates(folder, *names)

    async def story() -> Answer | Kind:
        resolver = answers_in_turn(("127.0.0.1",))
        async with (
            far_side(answering, tls=shown) as side,
            Client(tls=trusted if trust else None, lookup=resolver) as client,
        ):
            url = f"https://{host}:{side.port}/hook"
            try:
                await post(client, url)
                answer = await post(client, url)
            except NotDelivered as error:
                assert side.seen == []
                return error.kind
            assert side.connections == 1
            return answer

    return run(story())


def test_a_certificate_for_the_name_or_the_address_is_accepted(tmp_path: Path) -> None:
    for host in ("hooks.example", "127.0.0.1"):
        answer = over_tls(tmp_path, host, host=host)
        assert isinstance(answer, Answer), answer
        assert answer.status == 200


def test_another_name_or_an_unknown_authority_is_not(tmp_path: Path) -> None:
    assert over_tls(tmp_path, "other.example") == Kind.TLS
    assert over_tls(tmp_path, "127.0.0.1") == Kind.TLS
    assert over_tls(tmp_path, "hooks.example", trust=False) == Kind.TLS


def test_a_server_without_tls_gets_nothing_of_an_encrypted_post() -> None:
    async def story() -> tuple[Kind, Kind, list[bytes]]:
        async def refuse(caller: Caller) -> None:
            await caller.reader.read(1)
            await caller.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        async def ignore(caller: Caller) -> None:
            await caller.hang_up_seen()

        resolver = answers_in_turn(("127.0.0.1",))
        async with (
            far_side(refuse) as plain,
            far_side(ignore) as silent,
            Client(lookup=resolver, tls=ssl.create_default_context()) as client,
        ):
            first = await kind_of(client, plain.secure_url)
            second = await kind_of(client, silent.secure_url, seconds=SHORT)
            return first, second, plain.seen + silent.seen

    assert run(story()) == (Kind.TLS, Kind.TIMEOUT, [])
