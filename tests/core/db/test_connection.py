"""How the database is reached."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection
from django.db.utils import OperationalError

from core.db.postgresql.base import DatabaseWrapper
from tests.processes import database_url

ROOT = Path(__file__).resolve().parents[3]

REPORT = """
import json, os
if os.environ.get("PROCESS") == "web":
    from config.wsgi import application
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SHOW statement_timeout")
    timeout = cursor.fetchone()[0]
    cursor.execute("SHOW idle_in_transaction_session_timeout")
    idle = cursor.fetchone()[0]
pool = connection.pool
print(json.dumps({
    "timeout": timeout,
    "idle": idle,
    "pool": [pool.min_size, pool.max_size] if pool else None,
    "age": connection.settings_dict["CONN_MAX_AGE"],
    "prepares_after": connection.connection.prepare_threshold,
    "cursor": type(connection.connection.cursor()).__name__,
}))
connection.close()
connection.close_pool()
"""


def report(**environment: str) -> dict[str, object]:
    """What a fresh process of these settings finds."""
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": database_url(),
        **environment,
    }
    done = subprocess.run(
        [sys.executable, "-c", REPORT],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.mark.django_db(transaction=True)
def test_connections_persist_prepare_and_are_bounded_by_default() -> None:
    assert report(DATABASE_POOL="2,4") == {
        "timeout": "30s",
        "idle": "15s",
        "pool": None,
        "age": None,
        "prepares_after": 5,
        "cursor": "ServerBindingCursor",
    }


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_the_web_process_may_have_a_pool() -> None:
    found = report(DATABASE_POOL="2,4", PROCESS="web")
    assert (found["pool"], found["age"]) == ([2, 4], 0)


@pytest.mark.django_db(transaction=True)
def test_binding_and_preparing_can_be_switched_off() -> None:
    found = report(DATABASE_SERVER_SIDE_BINDING="false", DATABASE_PREPARED_STATEMENTS="false")
    assert (found["cursor"], found["prepares_after"]) == ("Cursor", None)


@pytest.mark.django_db
def test_a_database_that_is_away_is_tried_three_times(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []
    parent = DatabaseWrapper.__mro__[1]

    def refuse(_self: object, _params: object) -> None:
        tries.append(1)
        raise OperationalError

    monkeypatch.setattr(parent, "get_new_connection", refuse)
    fresh = DatabaseWrapper(connection.settings_dict, "fresh")
    with pytest.raises(OperationalError):
        fresh.connect()
    assert len(tries) == 3
