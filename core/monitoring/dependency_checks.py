"""Health checks of the database, the broker and the cache."""

from __future__ import annotations

from typing import Any

import redis
from django.conf import settings
from django.core.cache import caches
from django.db import connection

from core.monitoring import health

TIMEOUT_SECONDS = 1.5


def register() -> None:
    """Add the three to readiness. Only the database is critical.

    Without the broker jobs wait in their table; without the cache everything is slower.
    """
    health.register("database", check_database, critical=True)
    health.register("broker", check_broker)
    health.register("cache", check_cache)


def check_database() -> None:
    """One round trip on a connection of this thread, given back at once."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    finally:
        connection.close()


def check_broker() -> None:
    """PING on a fresh connection, so that a dead listener is noticed."""
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
    )
    try:
        client.ping()
    finally:
        client.close()


def check_cache() -> None:
    """PING below django-redis, which would hide the failure."""
    cache: Any = caches["default"]
    cache.client.get_client().ping()
