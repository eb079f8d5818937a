"""One connection to one address: a request at a time, its answer parsed by llhttp and cut off."""

from __future__ import annotations

import asyncio
import ipaddress
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import httptools

from core.outbound.addresses import Address, why_refused
from core.outbound.outcomes import Kind, NotDelivered
from core.outbound.urls import Target

HEAD_BYTES = 16 * 1024
ANSWER_BYTES = 64 * 1024  # with the head
EXCERPT_BYTES = 4 * 1024
BUFFER_BYTES = 16 * 1024

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_VALUE = re.compile(r"[\x20-\x7e\t]*")
OWN_HEADERS = frozenset({
    "host", "content-length", "transfer-encoding", "connection", "accept-encoding", "expect", "te",
    "trailer", "upgrade", "keep-alive",
})  # fmt: skip


class Stale(Exception):
    """A kept connection ended before any byte of an answer to the new request."""


class Reply(NamedTuple):
    """An answer as it was read: names of headers in lower case, the first 4 KB of the body."""

    status: int
    headers: dict[str, str]
    excerpt: bytes


class Connection(asyncio.BufferedProtocol):
    """`send` gives one answer; afterwards `is_idle` says whether another request may follow.

    While it runs it is also what llhttp calls with the parts of the answer.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self.idle_since = 0.0
        self._buffer = memoryview(bytearray(BUFFER_BYTES))
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._parser: Any = None
        self._requests = 0
        self._clear()

    def _clear(self) -> None:
        self._status, self._received = 0, 0
        self._headers: dict[str, str] = {}
        self._excerpt = bytearray()
        self._has_head = self._is_whole = self._reusable = False

    # --- For the client -----------------------------------------------------------------------

    async def send(self, request: bytes) -> Reply:
        """Send, and wait for the whole answer. Raises NotDelivered, or Stale."""
        if self._transport is None:
            raise Stale
        self._clear()
        self._parser = httptools.HttpResponseParser(self)
        self._requests += 1
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            await self._waiter
        except BaseException:
            self.abort()
            raise
        finally:
            self._waiter = self._parser = None
        if not self._reusable:
            self.abort()
        return Reply(self._status, self._headers, bytes(self._excerpt))

    @property
    def is_idle(self) -> bool:
        return self._reusable and self._transport is not None and not self._transport.is_closing()

    def confirm_peer(self) -> bool:
        """Whether the other side is still the address that was checked, and still allowed."""
        try:
            socket = self._transport and self._transport.get_extra_info("socket")
            return bool(socket) and is_peer(socket, self.address)
        except OSError:  # not connected any more
            return False

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    # --- Called by the event loop ---------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer[: max(1, min(BUFFER_BYTES, ANSWER_BYTES - self._received))]

    def buffer_updated(self, nbytes: int) -> None:
        if self._parser is None or self._is_whole:
            self.abort()  # nobody asked for this
            return
        self._received += nbytes
        try:
            self._parser.feed_data(self._buffer[:nbytes])
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(Kind.PROTOCOL, type(error).__name__)
            return
        if not self._has_head and self._received >= HEAD_BYTES:
            self._fail(Kind.TOO_LARGE, f"no end after {self._received} bytes")
        elif self._has_head and self._received >= ANSWER_BYTES:
            self._finish(reusable=False)

    def eof_received(self) -> None:
        if self._has_head and self._lasts_until_close():
            self._finish(reusable=False)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._reusable = False
        if self._waiter is None or self._waiter.done():
            return
        if self._requests > 1 and not self._received:
            self._waiter.set_exception(Stale())
        else:
            self._fail(Kind.CLOSED, str(exc or f"after {self._received} bytes"))

    # --- Called by the parser -------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self._is_whole:
            self._reusable = False  # a second answer that nobody asked for

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._has_head:
            return  # a trailer, or of a second answer
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        held = self._headers.get(key)
        self._headers[key] = text if held is None else f"{held}, {text}"

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if self._has_head:
            return
        if status < 200:
            self._headers = {}  # "continue" and the like: the answer is still to come
            return
        self._status, self._has_head = status, True

    def on_body(self, part: bytes) -> None:
        if len(self._excerpt) < EXCERPT_BYTES and not self._is_whole:
            self._excerpt += part[: EXCERPT_BYTES - len(self._excerpt)]

    def on_message_complete(self) -> None:
        if self._has_head and not self._is_whole:
            self._finish(reusable=self._parser.should_keep_alive())

    # --- The end ----------------------------------------------------------------------------------

    def _lasts_until_close(self) -> bool:
        """No length, no chunks: the body ends with the connection (RFC 9112, 6.3)."""
        return not {"content-length", "transfer-encoding"} & set(self._headers)

    def _finish(self, *, reusable: bool) -> None:
        self._is_whole, self._reusable = True, reusable
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, kind: Kind, detail: str) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(NotDelivered(kind, detail))
        self.abort()


def is_peer(socket: Any, address: Address) -> bool:
    """Whether a socket is connected to this very address, and that is not refused."""
    peer = ipaddress.ip_address(socket.getpeername()[0].partition("%")[0])
    return peer == address and why_refused(peer) is None


def request_bytes(target: Target, headers: Mapping[str, str], body: bytes) -> bytes:
    """A POST as it goes over the wire. Raises ValueError for headers that are not for callers."""
    lines = [_first_lines(target), f"Content-Length: {len(body)}\r\n"]
    for name, value in headers.items():
        if not _is_sound(name) or not _VALUE.fullmatch(value):
            raise ValueError(f"The header {name!r} cannot be sent.")
        lines.append(f"{name}: {value}\r\n")
    lines.append("\r\n")
    return "".join(lines).encode("ascii") + body


@lru_cache(maxsize=1024)
def _first_lines(target: Target) -> str:
    return (
        f"POST {target.path} HTTP/1.1\r\nHost: {target.authority}\r\nAccept: */*\r\n"
        "Accept-Encoding: identity\r\n"
    )


@lru_cache(maxsize=256)
def _is_sound(name: str) -> bool:
    return bool(_TOKEN.fullmatch(name)) and name.lower() not in OWN_HEADERS
