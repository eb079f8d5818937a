"""Customers' servers, good and bad, on real sockets of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Reader: TypeAlias = asyncio.StreamReader
Writer: TypeAlias = asyncio.StreamWriter
Behaviour = Callable[["Caller"], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Caller:
    """A connection as the far side sees it; `number` counts connections from 1."""

    def __init__(self, number: int, reader: Reader, writer: Writer, seen: list[bytes]) -> None:
        self.number, self.reader, self.writer, self.seen = number, reader, writer, seen

    async def request(self) -> bytes:
        """One whole request, remembered in the far side's `seen`."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
        self.seen.append(head + await self.reader.readexactly(length))
        return self.seen[-1]

    async def say(self, content: bytes) -> None:
        self.writer.write(content)
        await self.writer.drain()

    async def hang_up_seen(self) -> None:
        """Wait until the caller is gone."""
        while await self.reader.read(65536):
            pass


class FarSide:
    """What came in: whole requests, the number of connections, and how many of them have ended."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.port = self.connections = self.ended = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def secure_url(self) -> str:
        return f"https://hooks.example:{self.port}/hook"


@asynccontextmanager
async def far_side(
    behaviour: Behaviour, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[FarSide]:
    """A server whose every connection behaves like that, and is closed at the end of it."""
    side = FarSide()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: Reader, writer: Writer) -> None:
        side.connections += 1
        try:
            await behaviour(Caller(side.connections, reader, writer, side.seen))
        except (OSError, asyncio.IncompleteReadError):
            pass  # the caller went away
        finally:
            side.ended += 1
            writer.close()

    def begin(reader: Reader, writer: Writer) -> None:
        task = asyncio.get_running_loop().create_task(serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(begin, "127.0.0.1", 0, ssl=tls)
    side.port = server.sockets[0].getsockname()[1]
    try:
        yield side
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)


def saying(content: bytes) -> Behaviour:
    """Takes a request, says this, and waits for the caller to go."""

    async def behave(caller: Caller) -> None:
        await caller.request()
        await caller.say(content)
        await caller.hang_up_seen()

    return behave


def closing_after(content: bytes) -> Behaviour:
    """Takes a request, says this and hangs up."""

    async def behave(caller: Caller) -> None:
        await caller.request()
        await caller.say(content)

    return behave


async def answering(caller: Caller) -> None:
    """Addresses every request of a connection."""
    while True:
        await caller.request()
        await caller.say(OK)


def repeating(first: bytes, again: bytes, *, seconds: float) -> Behaviour:
    """Says one thing, then another for ever, with pauses."""

    async def behave(caller: Caller) -> None:
        await caller.request()
        await caller.say(first)
        while True:
            await caller.say(again)
            await asyncio.sleep(seconds)

    return behave


def certificates(folder: Path, *names: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A self-made certificate for the names: what a server shows, and a trust in it alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([_named(one) for one in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return server, ssl.create_default_context(cafile=folder / "certificate.pem")


def _named(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
