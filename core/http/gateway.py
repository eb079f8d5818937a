"""An ASGI application that runs a WSGI one, so that no slow client holds one of its threads.

The event loop does all waiting for clients: a thread is given to a request whose body is complete
(`core.http.bodies` says how), and is free again before the answer is sent. Clients have to keep a
least rate in both directions. Health checks have threads of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import socket
import stat
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import unquote_to_bytes

import structlog
from django.conf import settings
from django.db import close_old_connections
from django.http import HttpResponse

from core import errors
from core.http.bodies import SINK, Announced, BodyAwaited, Sink, unnamed_file
from core.http.errors import (
    BodyIncomplete,
    BodyTooSlow,
    Internal,
    LengthRequired,
    problem,
    refusal_for,
)
from core.monitoring.requests import bound_to_request, request_id_from

log = structlog.get_logger("http.gateway")

HEALTH = "/api/health/"
HEALTH_THREADS = 2
DISK_THREADS = 4
# A body up to this size is gathered before Django sees the request at all.
SMALL_BODY_BYTES = 64 * 1024
# An answer up to this size fits into the buffers of the server and the kernel.
SMALL_ANSWER_BYTES = 64 * 1024
# Answers above this size wait on disk for their readers, of whom there may be a thousand.
LARGE_ANSWER_BYTES = 512 * 1024
BLOCK_BYTES = 256 * 1024
# What is read of a refused body, so that its sender gets to see the answer.
LINGER_SECONDS, LINGER_BYTES = 5.0, 64 * 1024**2

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
WsgiApplication = Callable[[dict[str, Any], Any], Iterable[bytes]]


class ClientGone(Exception):
    """The connection ended, so there is nobody to answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the application answered: one block, or several that are read while they are sent."""

    status: int
    headers: list[tuple[bytes, bytes]]
    content: bytes = b""
    blocks: Iterator[bytes] | None = None
    close: Callable[[], object] = lambda: None


class Pace:
    """How long a client may keep us waiting, by what it has moved so far."""

    def __init__(self) -> None:
        self._waited = 0.0
        self._moved = 0

    def moved(self, count: int) -> None:
        self._moved += count

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[None]:
        """Wait for the client in this context. Raises TimeoutError when it falls behind."""
        grace = settings.TRANSFER_GRACE_SECONDS
        allowed = grace + self._moved / settings.TRANSFER_MIN_BYTES_PER_SECOND
        started = time.monotonic()
        try:
            async with asyncio.timeout(max(0.0, min(grace, allowed - self._waited))):
                yield
        finally:
            self._waited += time.monotonic() - started


class Gateway:
    """The ASGI application around a WSGI one."""

    def __init__(self, application: WsgiApplication, *, threads: int) -> None:
        self._application = application
        self._threads = ThreadPoolExecutor(threads, "request")
        self._health = ThreadPoolExecutor(HEALTH_THREADS, "health")
        self._disk = ThreadPoolExecutor(DISK_THREADS, "disk")

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        environ = environ_of(scope)
        body = Body(environ, receive)
        try:
            answer = await self._answer(environ, body)
        except ClientGone:
            return
        except Exception as error:
            refusal = refusal_for(error)
            if refusal is None:
                log.exception("http.gateway_failed")
            answer = _refused(environ, refusal or Internal())
        client = Client(scope, receive, send, self._in_request_thread)
        await client.send_answer(answer, body)

    async def _answer(self, environ: dict[str, Any], body: Body) -> Answer:
        if body.is_small:
            environ["wsgi.input"] = io.BytesIO(await body.read_all())
            answer = await self._run(environ)
        else:
            environ["wsgi.input"] = Announced(body.announced)
            answer = await self._run(environ)
        if isinstance(answer, BodyAwaited):
            return await self._answer_with_body(environ, body, answer.open_sink)
        return answer

    async def _answer_with_body(
        self, environ: dict[str, Any], body: Body, open_sink: Callable[[], Sink]
    ) -> Answer:
        """Gather the body where the view wants it, then run the request once more."""
        sink = await self._in_disk_thread(open_sink)
        try:
            async for block in body.blocks():
                await self._in_disk_thread(sink.take, block)
            await self._in_disk_thread(sink.finish)
            answer = await self._run(environ | {"wsgi.input": sink.stream, SINK: sink})
        finally:
            await asyncio.shield(self._in_disk_thread(sink.discard))
        if not isinstance(answer, Answer):
            raise TypeError("a view waits for a body that it was given")
        return answer

    async def _run(self, environ: dict[str, Any]) -> Answer | BodyAwaited:
        threads = self._health if environ["PATH_INFO"].startswith(HEALTH) else self._threads
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(threads, _run, self._application, environ)

    def _in_request_thread(self, work: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    def _in_disk_thread(self, work: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().run_in_executor(self._disk, work, *arguments)


def _run(application: WsgiApplication, environ: dict[str, Any]) -> Answer | BodyAwaited:
    """One request in a thread of Django's, from its first line to its last byte."""
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None) -> None:
        encoded = [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in headers]
        started[:] = int(status[:3]), encoded

    try:
        response: Any = application(environ, start_response)
    except BodyAwaited as awaited:
        close_old_connections()  # no response will send the signal that does it
        return awaited
    status, headers = started
    if getattr(response, "streaming", False) and environ["REQUEST_METHOD"] != "HEAD":
        close_old_connections()  # whichever thread closes the response has other connections
        return Answer(status, headers, blocks=iter(response), close=response.close)
    try:
        content = b"" if environ["REQUEST_METHOD"] == "HEAD" else b"".join(response)
    finally:
        response.close()
    if len(content) <= LARGE_ANSWER_BYTES:
        return Answer(status, headers, content)
    file = unnamed_file()
    file.write(content)
    file.seek(0)
    return Answer(status, headers, blocks=_blocks_of(file), close=file.close)


def _blocks_of(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(BLOCK_BYTES):
        yield block


def _refused(environ: Mapping[str, Any], refusal: errors.DomainError) -> Answer:
    """The answer to a request that Django did not answer, with the log line it would have had."""
    request_id = request_id_from(environ.get("HTTP_X_REQUEST_ID"))
    with bound_to_request(request_id):
        response: HttpResponse = problem(refusal)
        response["X-Request-ID"] = request_id
        log.info("request", method=environ["REQUEST_METHOD"], status=response.status_code)
    headers = [(n.lower().encode(), v.encode("latin-1")) for n, v in response.items()]
    length = (b"content-length", b"%d" % len(response.content))
    return Answer(response.status_code, [*headers, length], response.content)


class Body:
    """The body of one request, as it arrives."""

    def __init__(self, environ: Mapping[str, Any], receive: Receive) -> None:
        self.announced = int(environ.get("CONTENT_LENGTH") or 0)  # the server refuses other texts
        self._is_chunked = "HTTP_TRANSFER_ENCODING" in environ
        self._receive = receive
        self._pace = Pace()
        self._arrived = 0

    @property
    def is_small(self) -> bool:
        """Whether it is gathered before anything else. Raises LengthRequired."""
        if self._is_chunked:
            raise LengthRequired
        return self.announced <= SMALL_BODY_BYTES

    @property
    def is_whole(self) -> bool:
        return not self._is_chunked and self._arrived >= self.announced

    async def read_all(self) -> bytes:
        """The whole body. Raises what `blocks` raises."""
        return b"".join([block async for block in self.blocks()])

    async def blocks(self) -> AsyncIterator[bytes]:
        """The body in blocks worth a trip to a thread. Raises BodyTooSlow or ClientGone."""
        waiting = bytearray()
        while not self.is_whole:
            waiting += await self._next()
            if len(waiting) >= BLOCK_BYTES or self.is_whole:
                yield bytes(waiting)
                waiting.clear()

    async def _next(self) -> bytes:
        try:
            async with self._pace.waiting():
                message = await self._receive()
        except TimeoutError as error:
            raise BodyTooSlow from error
        if message["type"] == "http.disconnect":
            raise ClientGone
        block: bytes = message["body"]
        self._arrived += len(block)
        self._pace.moved(len(block))
        if not message["more_body"] and not self.is_whole:
            raise BodyIncomplete
        return block

    async def linger(self) -> None:
        """Read on for a moment. A connection closed on a sender loses the answer on its way."""
        end = self._arrived + LINGER_BYTES
        with contextlib.suppress(TimeoutError, ClientGone, errors.DomainError):
            async with asyncio.timeout(LINGER_SECONDS):
                while not self.is_whole and self._arrived < end:
                    await self._next()


class Client:
    """The other end of the connection, to which the answer goes."""

    def __init__(
        self,
        scope: Mapping[str, Any],
        receive: Receive,
        send: Send,
        in_thread: Callable[..., asyncio.Future[Any]],
    ) -> None:
        self._peer = scope.get("client")
        self._receive = receive
        self._send = send
        self._in_thread = in_thread
        self._pace = Pace()

    async def send_answer(self, answer: Answer, body: Body) -> None:
        """Send all of it, or cut the connection of a reader that is too slow."""
        headers = answer.headers
        if not body.is_whole:
            headers = [*headers, (b"connection", b"close")]
        start = {"type": "http.response.start", "status": answer.status, "headers": headers}
        try:
            await self._send(start)
            if answer.blocks is not None:
                await self._send_blocks(answer.blocks)
                await self._send_last(b"")
            elif len(answer.content) > SMALL_ANSWER_BYTES:
                await self._send_block(answer.content)
                await self._send_last(b"")
            else:
                await self._send_last(answer.content)
            if not body.is_whole:
                await body.linger()
        except TimeoutError:
            log.warning("http.reader_too_slow")
            cut(self._peer)
        finally:
            if answer.blocks is not None:
                await asyncio.shield(self._in_thread(answer.close))

    async def _send_blocks(self, blocks: Iterator[bytes]) -> None:
        # To send to a closed connection is no error: only the next message tells of its end.
        gone = asyncio.ensure_future(self._until_gone())
        try:
            while block := await self._in_thread(_next_block, blocks):
                if gone.done():
                    return
                await self._send_block(block)
        finally:
            gone.cancel()

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _send_block(self, block: bytes) -> None:
        for start in range(0, len(block), SMALL_ANSWER_BYTES):
            part = block[start : start + SMALL_ANSWER_BYTES]
            async with self._pace.waiting():
                await self._send({"type": "http.response.body", "body": part, "more_body": True})
            self._pace.moved(len(part))

    async def _send_last(self, block: bytes) -> None:
        await self._send({"type": "http.response.body", "body": block, "more_body": False})


def _next_block(blocks: Iterator[bytes]) -> bytes:
    """Enough for a trip to a thread: files are commonly answered in blocks of 4 KiB."""
    gathered = bytearray()
    while len(gathered) < BLOCK_BYTES and (block := next(blocks, None)) is not None:
        gathered += block
    return bytes(gathered)


def cut(peer: tuple[str, int | str] | None) -> None:
    """Shut the connection of a client down. The server itself would wait for it to read on."""
    if peer is None:
        return
    for number in map(int, os.listdir("/dev/fd")):  # noqa: PTH208 - only names are wanted
        with contextlib.suppress(OSError):  # closed meanwhile, or not connected
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                with socket.socket(fileno=os.dup(number)) as connection:
                    if connection.getpeername()[:2] == (peer[0], int(peer[1])):
                        connection.shutdown(socket.SHUT_RDWR)


def environ_of(scope: Mapping[str, Any]) -> dict[str, Any]:
    """The WSGI environ (PEP 3333) of an ASGI scope; the body is added later."""
    server, client = scope.get("server") or ("localhost", 80), scope.get("client") or ("", 0)
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        if b"_" in raw_name:  # X_Forwarded_Proto would pass for a proxy's X-Forwarded-Proto
            continue
        name = raw_name.decode("latin-1").upper().replace("-", "_")
        if name not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            name = f"HTTP_{name}"
        value = raw_value.decode("latin-1")
        if name in environ:
            value = f"{environ[name]}{'; ' if name == 'HTTP_COOKIE' else ','}{value}"
        environ[name] = value
    return environ
