"""From a host's name to its addresses, without letting a slow name server hold up anybody else.

Look-ups run in threads of their own. Callers who ask for the same name at the same time share one
look-up, also one that is still running when its first caller has given up. An answer, also that
there is none, is remembered for a few seconds, and that of a slow name server for twice as long as
it took: names that nobody answers for must not hold all threads.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache

from core.outbound.addresses import Address

CACHE_SECONDS = 5.0
THREADS = 64
MAX_CACHED = 4096
SLOW_SECONDS = CACHE_SECONDS / 2

Addresses = tuple[Address, ...]
Lookup = Callable[[str], Addresses]


class UnknownHost(Exception):
    """No name server knows an address for the name, or none answered."""


# An error is handed over as a value: nobody may be left to take it when a look-up ends.
Found = Addresses | UnknownHost


def system_lookup(host: str) -> Addresses:
    """What the system's resolver says, in its order of preference. Raises UnknownHost."""
    try:
        # As bytes: Python would put its own, older rules for names in between.
        found = socket.getaddrinfo(host.encode("ascii"), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnknownHost(str(error)) from error
    texts = dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found)
    return tuple(ipaddress.ip_address(text) for text in texts)


class Resolver:
    """A memory of looked-up names; for any number of threads and event loops."""

    def __init__(self, lookup: Lookup = system_lookup) -> None:
        self._lookup_host = lookup
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="names")
        self._lock = threading.Lock()
        self._running: dict[str, Future[Found]] = {}
        self._cached: dict[str, tuple[float, Future[Found]]] = {}

    async def addresses(self, host: str) -> Addresses:
        """The addresses of the name. Raises UnknownHost; cancelling leaves the look-up running."""
        asked = self._lookup(host)
        if asked.done():
            return _opened(asked.result())
        return _opened(await asyncio.shield(asyncio.wrap_future(asked)))

    def addresses_within(self, host: str, seconds: float) -> Addresses:
        """The same for callers without an event loop. Raises UnknownHost, also after that time."""
        try:
            return _opened(self._lookup(host).result(seconds))
        except TimeoutError as error:
            raise UnknownHost("no answer in time") from error

    def cached(self, host: str) -> Addresses | None:
        """What is remembered, None for a name that has to be asked for. Raises UnknownHost."""
        with self._lock:
            until, known = self._cached.get(host, (0.0, None))
        return _opened(known.result()) if known and time.monotonic() < until else None

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _lookup(self, host: str) -> Future[Found]:
        with self._lock:
            if host in self._running:
                return self._running[host]
            until, known = self._cached.get(host, (0.0, None))
            if known and time.monotonic() < until:
                return known
            asked = self._running[host] = self._pool.submit(self._ask, host)
            return asked

    def _ask(self, host: str) -> Found:
        """In a thread: what the resolver says, remembered from when it has said it."""
        started = time.monotonic()
        try:
            return self._lookup_host(host)
        except UnknownHost as error:
            return error
        finally:
            now = time.monotonic()
            took = now - started
            with self._lock:
                seconds = CACHE_SECONDS if took < SLOW_SECONDS else 2 * took
                self._forget(now)
                self._cached[host] = (now + seconds, self._running.pop(host))

    def _forget(self, now: float) -> None:
        """Old answers, once there are many."""
        if len(self._cached) >= MAX_CACHED:
            self._cached = {host: one for host, one in self._cached.items() if now < one[0]}


def _opened(found: Found) -> Addresses:
    if isinstance(found, UnknownHost):
        raise UnknownHost(str(found))
    return found


@lru_cache(maxsize=1)
def shared_resolver() -> Resolver:
    """One memory for a process."""
    return Resolver()


# Threads do not survive a fork, and with them no pool does.
os.register_at_fork(after_in_child=shared_resolver.cache_clear)
