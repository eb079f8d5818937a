"""Resolves host names without letting a slow name server delay other callers.

Lookups run in their own threads. Callers who ask for the same name at the same time share one
lookup, also one whose first caller has given up. Results, also negative ones, are cached for a few
seconds, those of a slow name server for twice the time of the lookup: names that no server answers
for must not occupy all threads.
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


# An error is passed as a value: a future's exception that no caller takes would be logged.
Found = Addresses | UnknownHost


def system_lookup(host: str) -> Addresses:
    """The addresses by the system's resolver, in its order of preference. Raises UnknownHost."""
    try:
        # As bytes: Python would apply its own, older IDNA rules to text.
        found = socket.getaddrinfo(host.encode("ascii"), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnknownHost(str(error)) from error
    texts = dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found)
    return tuple(ipaddress.ip_address(text) for text in texts)


class Resolver:
    """A caching resolver for any number of threads and event loops."""

    def __init__(self, lookup: Lookup = system_lookup) -> None:
        self._lookup_host = lookup
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="dns")
        self._lock = threading.Lock()
        self._running: dict[str, Future[Found]] = {}
        self._cached: dict[str, tuple[float, Future[Found]]] = {}

    async def addresses(self, host: str) -> Addresses:
        """The addresses of the name. Raises UnknownHost; cancelling leaves the lookup running."""
        asked = self._lookup(host)
        if asked.done():
            return _opened(asked.result())
        return _opened(await asyncio.shield(asyncio.wrap_future(asked)))

    def addresses_within(self, host: str, seconds: float) -> Addresses:
        """The same for callers without an event loop. Raises UnknownHost also after `seconds`."""
        try:
            return _opened(self._lookup(host).result(seconds))
        except TimeoutError as error:
            raise UnknownHost("no answer in time") from error

    def cached(self, host: str) -> Addresses | None:
        """The cached addresses; None if the name must be looked up. Raises UnknownHost."""
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
        """Runs in a thread; the cache time starts when the lookup ends."""
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
    """The resolver of this process."""
    return Resolver()


# Threads, and so the pool, do not survive a fork.
os.register_at_fork(after_in_child=shared_resolver.cache_clear)
