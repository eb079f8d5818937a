"""API keys that this process has looked up lately.

Looking a key up costs several times what answering does. An entry lives half a minute at most and
only while the version in the cache is the one read before its row was: whatever changes a key, a
role or an organization changes the version, and every process looks again. Without a cache there is
no version, and every request asks the database.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from datetime import datetime

from django.core.cache import cache
from django.db import transaction

from core.accounts.actor import Actor

VERSION = "accounts:version"
LIFETIME_SECONDS = 30.0
MOST_ENTRIES = 4096


@dataclass(frozen=True, slots=True)
class Entry:
    """An accepted key's Actor, under the version read before the row was."""

    actor: Actor
    expires_at: datetime | None
    version: str
    read_at: float


_entries: dict[str, Entry] = {}


def current_version() -> str | None:
    """The version now; None when the cache is away or has forgotten it, so that nothing is kept."""
    version: str | None = cache.get(VERSION)
    if version is None:
        # Random, because a counter that starts again could meet an old entry's number.
        cache.add(VERSION, uuid.uuid4().hex, timeout=None)
    return version


def recall(digest: str, version: str | None, now: datetime) -> Actor | None:
    """The Actor kept under the hash of a whole key, if it still holds."""
    entry = _entries.get(digest)
    if entry is None or entry.version != version:
        return None
    if time.monotonic() - entry.read_at > LIFETIME_SECONDS:
        return None
    if entry.expires_at is not None and entry.expires_at <= now:
        return None
    return entry.actor


def keep(digest: str, actor: Actor, *, expires_at: datetime | None, version: str | None) -> None:
    """Remember an accepted key. `version` must have been read before its row was."""
    if version is None:
        return
    if len(_entries) >= MOST_ENTRIES:
        _entries.clear()
    _entries[digest] = Entry(actor, expires_at, version, time.monotonic())


def forget_all() -> None:
    """Once this transaction commits, make every process look its keys up again."""
    transaction.on_commit(lambda: cache.set(VERSION, uuid.uuid4().hex, timeout=None))
