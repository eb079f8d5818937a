"""The database's clock: the one that leases, due times and retries are measured by."""

from __future__ import annotations

from datetime import datetime

from django.db import connection


def database_now(*, plus_seconds: float = 0.0) -> datetime:
    """The database's wall clock at this moment, shifted by `plus_seconds`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp() + make_interval(secs => %s)", [plus_seconds])
        moment: datetime = cursor.fetchone()[0]
    return moment
