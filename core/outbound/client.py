"""An HTTP/1.1 client for servers that customers name: a POST, on time, to where it was checked.

    async with Client() as client:
        answer = await client.post(url, body=b"{}", headers={}, deadline_seconds=10.0)

What it holds to:
- every address of the host is checked at every send, and a checked one is dialled; the peer is
  confirmed before a byte is sent, again when a kept connection is used again;
- one deadline covers look-up, connection, TLS, sending and the whole answer;
- at most 64 KB of an answer are read, as they come, then the connection is closed;
- redirects are answers like others; proxies and netrc of the environment are not looked at.

A kept connection that the other side closed before any byte of an answer is replaced once, with the
same request. The other side may have taken the first one in all the same: receivers of deliveries
that come at least once must be ready for that anyway.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache

from core import errors
from core.outbound.addresses import Address, why_refused
from core.outbound.connection import Connection, Reply, Stale, is_peer, request_bytes
from core.outbound.dns import Addresses, Lookup, Resolver, UnknownHost, shared_resolver
from core.outbound.outcomes import Answer, Kind, NotDelivered
from core.outbound.urls import Target, read_url

__all__ = ["Answer", "Client", "Kind", "NotDelivered"]

KEEP_ALIVE_SECONDS = 10.0
KEPT_PER_PLACE = 64  # as many as a sender has in use with one: a handshake costs more than a post
KEPT_IN_ALL = 256  # beside those in use, below the 1,024 files that a process may usually open
MOST_ADDRESSES = 4  # of one host, tried one after another

Place = tuple[str, str, int, Address]


class Client:
    """Sends, and keeps connections for the next time. Belongs to one event loop.

    `tls` replaces the usual trust (for an authority of one's own), `lookup` the system's look-up.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None, lookup: Lookup | None = None) -> None:
        self._tls = tls
        self._resolver = Resolver(lookup) if lookup else shared_resolver()
        self._idle: dict[Place, list[Connection]] = defaultdict(list)
        self._idle_count = 0
        self._sweep: asyncio.TimerHandle | None = None
        self._is_closed = False

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connections that wait; those in use end with their exchange."""
        self._is_closed = True
        if self._resolver is not shared_resolver():
            self._resolver.close()
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        for connections in self._idle.values():
            for connection in connections:
                connection.abort()
        self._idle.clear()

    async def post(
        self,
        url: str,
        *,
        body: bytes,
        headers: Mapping[str, str],
        deadline_seconds: float = 10.0,
    ) -> Answer:
        """Send the bytes and wait for the whole answer, whatever its status. Raises NotDelivered.

        Headers that say where a message ends or what may come back are the client's own: those
        raise ValueError, and so does a header that is not printable ASCII.
        """
        started = time.perf_counter()
        tried: list[Address] = []
        try:
            async with asyncio.timeout(deadline_seconds):
                reply = await self._exchange(url, body, headers, tried)
        except NotDelivered as error:
            raise _told(error, tried, started) from None
        except TimeoutError:
            late = NotDelivered(Kind.TIMEOUT, f"after {deadline_seconds:g} s")
            raise _told(late, tried, started) from None
        return Answer(*reply, address=str(tried[-1]), duration_ms=_milliseconds_since(started))

    async def _exchange(
        self, url: str, body: bytes, headers: Mapping[str, str], tried: list[Address]
    ) -> Reply:
        """The answer; each address is added to `tried` before it is used."""
        target = _read(url)
        request = request_bytes(target, headers, body)
        addresses = await self._checked_addresses(target)
        connection = self._kept(target, addresses)
        reply = None
        if connection is not None:
            tried.append(connection.address)
            reply = await self._sent_again(connection, request)
        if connection is None or reply is None:
            connection = await self._connected(target, addresses, tried)
            reply = await connection.send(request)
        self._keep(target, connection)
        return reply

    @staticmethod
    async def _sent_again(connection: Connection, request: bytes) -> Reply | None:
        """By a connection from before; None if the other side had ended it."""
        try:
            return await connection.send(request)
        except Stale:
            return None

    async def _checked_addresses(self, target: Target) -> Addresses:
        """All addresses of the host, each of them public. One that is not refuses them all."""
        try:
            found = (
                (target.address,) if target.address else await self._resolver.addresses(target.host)
            )
        except UnknownHost as error:
            raise NotDelivered(Kind.NAME_UNKNOWN, str(error)) from None
        for address in found:
            if why := why_refused(address):
                raise NotDelivered(Kind.ADDRESS_REFUSED, f"{address} is {why}")
        if not found:
            raise NotDelivered(Kind.NAME_UNKNOWN, "no address")
        return found

    # --- Connections ------------------------------------------------------------------------------

    async def _connected(
        self, target: Target, addresses: Addresses, tried: list[Address]
    ) -> Connection:
        """A new connection to the first address that takes one."""
        chosen = addresses[:MOST_ADDRESSES]
        failure = NotDelivered(Kind.REFUSED)
        for position, address in enumerate(chosen):
            tried.append(address)
            try:
                async with asyncio.timeout(_share(left=len(chosen) - position)):
                    return await self._dial(target, address)
            except ssl.SSLError as error:
                raise NotDelivered(Kind.TLS, _tls_detail(error)) from None
            except OSError as error:
                failure = NotDelivered(_kind_of(error), str(error))
        raise failure

    async def _dial(self, target: Target, address: Address) -> Connection:
        loop = asyncio.get_running_loop()
        pinned = await _socket_to(address, target.port)
        secure = target.scheme == "https"
        _, connection = await loop.create_connection(
            lambda: Connection(address),
            sock=pinned,
            ssl=(self._tls or usual_trust()) if secure else None,
            server_hostname=target.host if secure else None,
        )
        return connection

    def _kept(self, target: Target, addresses: Addresses) -> Connection | None:
        """A connection from before to one of the addresses that were just checked."""
        oldest = time.monotonic() - KEEP_ALIVE_SECONDS
        for address in addresses:
            waiting = self._idle.get(_place(target, address), [])
            while waiting:
                connection = waiting.pop()
                self._idle_count -= 1
                is_fresh = connection.idle_since > oldest and connection.is_idle
                if is_fresh and connection.confirm_peer():
                    return connection
                connection.abort()
        return None

    def _keep(self, target: Target, connection: Connection) -> None:
        if not connection.is_idle:
            return
        waiting = self._idle[_place(target, connection.address)]
        is_full = len(waiting) >= KEPT_PER_PLACE or self._idle_count >= KEPT_IN_ALL
        if self._is_closed or is_full:
            connection.abort()
            return
        connection.idle_since = time.monotonic()
        waiting.append(connection)
        self._idle_count += 1
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(KEEP_ALIVE_SECONDS, self._drop_old)

    def _drop_old(self) -> None:
        """End what waited too long; look again while anything waits."""
        self._sweep = None
        oldest = time.monotonic() - KEEP_ALIVE_SECONDS
        for place, waiting in list(self._idle.items()):
            for connection in waiting:
                if connection.idle_since <= oldest:
                    connection.abort()
            waiting[:] = [connection for connection in waiting if connection.is_idle]
            if not waiting:
                del self._idle[place]
        self._idle_count = sum(map(len, self._idle.values()))
        if self._idle:
            self._sweep = asyncio.get_running_loop().call_later(KEEP_ALIVE_SECONDS, self._drop_old)


@lru_cache(maxsize=1)
def usual_trust() -> ssl.SSLContext:
    """The system's authorities (or `SSL_CERT_FILE`'s), made once: reading them takes 20 ms."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


async def _socket_to(address: Address, port: int) -> socket.socket:
    """A connected socket whose other end is this address and no other. Raises OSError."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setblocking(False)  # noqa: FBT003 - the name of the method says it
        await asyncio.get_running_loop().sock_connect(made, (str(address), port))
        if not is_peer(made, address):
            raise NotDelivered(Kind.ADDRESS_REFUSED, f"another peer than {address}")
    except BaseException:
        made.close()
        raise
    return made


def _told(failure: NotDelivered, tried: list[Address], started: float) -> NotDelivered:
    failure.address = str(tried[-1]) if tried else None
    failure.duration_ms = _milliseconds_since(started)
    return failure


def _read(url: str) -> Target:
    try:
        return read_url(url)
    except errors.DomainError as refusal:
        raise NotDelivered(Kind.URL_REFUSED, refusal.code) from None


def _place(target: Target, address: Address) -> Place:
    return target.scheme, target.host, target.port, address


def _share(*, left: int) -> float | None:
    """Seconds for one address, so that a silent one leaves time for the next; the last has all."""
    return None if left == 1 else 2.0


def _kind_of(error: OSError) -> Kind:
    if isinstance(error, TimeoutError):
        return Kind.TIMEOUT
    return Kind.CLOSED if isinstance(error, ConnectionResetError) else Kind.REFUSED


def _tls_detail(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return error.reason or "handshake failed"


def _milliseconds_since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)
