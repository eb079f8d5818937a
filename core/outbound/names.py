"""From a host's name to its addresses, without letting a slow name server hold up anybody else.

Look-ups run in threads of their own. Callers who ask for the same name at the same time share one
look-up, also one that is still running when its first caller has given up. An answer, also that
there is none, is remembered for a few seconds.
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

REMEMBER_SECONDS = 5.0
THREADS = 64
MOST_REMEMBERED = 4096

Answers = tuple[Address, ...]
Resolver = Callable[[str], Answers]


class NameUnknown(Exception):
    """No name server knows an address for the name, or none answered."""


def ask_system(host: str) -> Answers:
    """What the system's resolver says, in its order of preference. Raises NameUnknown."""
    try:
        # As bytes: Python would put its own, older rules for names in between.
        found = socket.getaddrinfo(host.encode("ascii"), None, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise NameUnknown(str(error)) from error
    texts = dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found)
    return tuple(ipaddress.ip_address(text) for text in texts)


class Names:
    """A memory of looked-up names; for any number of threads and event loops."""

    def __init__(self, resolver: Resolver = ask_system) -> None:
        self._resolver = resolver
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="names")
        self._lock = threading.Lock()
        self._asked: dict[str, tuple[float, Future[Answers]]] = {}

    async def addresses(self, host: str) -> Answers:
        """The addresses of the name. Raises NameUnknown; cancelling leaves the look-up running."""
        asked = self._look_up(host)
        if asked.done():
            return asked.result()
        return await asyncio.shield(asyncio.wrap_future(asked))

    def addresses_within(self, host: str, seconds: float) -> Answers:
        """The same for callers without an event loop. Raises NameUnknown, also after that time."""
        try:
            return self._look_up(host).result(seconds)
        except TimeoutError as error:
            raise NameUnknown("no answer in time") from error

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _look_up(self, host: str) -> Future[Answers]:
        now = time.monotonic()
        with self._lock:
            if host in self._asked:
                until, asked = self._asked[host]
                if now < until or not asked.done():
                    return asked
            self._forget(now)
            asked = self._pool.submit(self._resolver, host)
            self._asked[host] = (now + REMEMBER_SECONDS, asked)
            return asked

    def _forget(self, now: float) -> None:
        """Old answers, once there are many."""
        if len(self._asked) >= MOST_REMEMBERED:
            self._asked = {
                host: (until, asked)
                for host, (until, asked) in self._asked.items()
                if now < until or not asked.done()
            }


@lru_cache(maxsize=1)
def shared_names() -> Names:
    """One memory for a process."""
    return Names()


# Threads do not survive a fork, and with them no pool does.
os.register_at_fork(after_in_child=shared_names.cache_clear)
