"""The API keys that this process has looked up in the last half minute.

Looking a key up costs several times what answering does. An entry lives half a minute at most,
never longer than its key, and only while the version in the cache is the one read before its row
was: whatever changes a key, a role or an organization changes the version, and every process looks
again. Without a cache there is no version, and every request asks the database.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass

from django.core.cache import cache
from django.db import transaction

from core.accounts.actor import Actor

VERSION = "accounts:version"
LIFETIME_SECONDS = 30.0
MOST_ENTRIES = 4096


@dataclass(frozen=True, slots=True)
class Entry:
    """An accepted key's Actor, under the version read before the row was.

    `ends_at` is on the monotonic clock: the database, which alone knows the time, is not asked.
    """

    actor: Actor
    version: str
    ends_at: float


_entries: dict[str, Entry] = {}


def current_version() -> str | None:
    """The version now; None when the cache is away or has lost it, so that nothing is stored."""
    version: str | None = cache.get(VERSION)
    if version is None:
        # Random, because a counter that starts again could meet an old entry's number.
        cache.add(VERSION, uuid.uuid4().hex, timeout=None)
    return version


def get(digest: str, version: str | None) -> Actor | None:
    """The Actor stored under the hash of a whole key, or None when it has expired."""
    entry = _entries.get(digest)
    if entry is None or entry.version != version:
        return None
    return entry.actor if time.monotonic() < entry.ends_at else None


def put(digest: str, actor: Actor, *, seconds: float, version: str | None) -> None:
    """Store an accepted key for `seconds` at most; `version` was read before its row was."""
    if version is None:
        return
    if len(_entries) >= MOST_ENTRIES:
        _entries.clear()
    _entries[digest] = Entry(actor, version, time.monotonic() + min(seconds, LIFETIME_SECONDS))


def invalidate() -> None:
    """Make every process look its keys up again, once this transaction commits."""
    transaction.on_commit(lambda: cache.set(VERSION, uuid.uuid4().hex, timeout=None))
