"""The database engine named in settings: Django's own, trying to connect more than once.

Django looks for a class of this name in a module of this name.
"""

from __future__ import annotations

import time
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from django.db.utils import OperationalError

PAUSE_SECONDS = 0.2


class DatabaseWrapper(base.DatabaseWrapper):
    """Tries `OPTIONS["connect_attempts"]` times (1 by default) before it gives up."""

    def get_connection_params(self) -> dict[str, Any]:
        params = super().get_connection_params()
        self.connect_attempts = int(params.pop("connect_attempts", 1))
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        # A pool reconnects by itself, and its wait is bounded by its own timeout.
        attempts = 1 if self.pool else self.connect_attempts
        for attempt in range(1, attempts + 1):
            try:
                return super().get_new_connection(conn_params)
            except (psycopg.OperationalError, OperationalError):
                if attempt == attempts:
                    raise
                time.sleep(PAUSE_SECONDS * attempt)
        raise AssertionError("unreachable: the loop returns or raises")
