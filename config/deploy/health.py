"""Whether the process of this container does its work: `python -m config.deploy.health NAME`.

The container engine asks this about every process of docker-compose.yml, many times an hour, so it
loads no Django. It ends with 0, or with 1 and a sentence. NAME is a name of config/processes.py.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psycopg
from celery import Celery

ANSWER_SECONDS = 8.0
# A relay does a round a second, and rests for ten when the database was away.
RELAY_SILENT_SECONDS = 60
# The clock writes its file down about every five minutes.
CLOCK_SILENT_SECONDS = 900

RELAY_AT_WORK = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
      AND client_addr IS NOT DISTINCT FROM inet_client_addr()
      AND state_change > now() - make_interval(secs => %s)
"""


class NotHealthy(Exception):
    """The process does not do its work. The message says how that shows."""


def check(name: str) -> None:
    """Raise NotHealthy unless the process called `name` in this container does its work."""
    if name.startswith("worker"):
        _check_worker(name)
        return
    CHECKS[name]()


def _check_web() -> None:
    """The web process and what it needs: PostgreSQL, the broker, the storage."""
    _ask(f"http://127.0.0.1:{os.environ.get('WEB_PORT', '8000')}/api/health/ready")


def _check_flower() -> None:
    _ask(f"http://127.0.0.1:{os.environ.get('FLOWER_PORT', '5555')}/healthcheck")


def _ask(url: str) -> None:
    try:
        with urlopen(url, timeout=ANSWER_SECONDS):  # noqa: S310 - an address of our own
            return
    except (URLError, HTTPException, OSError) as error:
        raise NotHealthy(f"{url}: {error}") from error


def _check_worker(name: str) -> None:
    """The worker answers a ping through the broker, as it would take a message."""
    node = f"{name}-{os.environ.get('WEB_PORT', '8000')}@{socket.gethostname()}"
    with Celery(broker=os.environ["REDIS_URL"], set_as_current=False) as app:
        if not app.control.ping(destination=[node], timeout=ANSWER_SECONDS, limit=1):
            raise NotHealthy(f"{node} does not answer")


def _check_relay() -> None:
    """Some connection of this container, other than this one, has asked the database lately."""
    seconds = int(ANSWER_SECONDS)
    with psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=seconds) as connection:
        row = connection.execute(RELAY_AT_WORK, (RELAY_SILENT_SECONDS,)).fetchone()
    if not row or not row[0]:
        raise NotHealthy(f"the relay has asked nothing for {RELAY_SILENT_SECONDS} seconds")


def _check_beat() -> None:
    """The clock keeps its file fresh."""
    file = Path(os.environ.get("SCHEDULE_FILE", "/var/lib/minutebook/clock/schedule"))
    written = max((path.stat().st_mtime for path in file.parent.glob(f"{file.name}*")), default=0.0)
    if time.time() - written > CLOCK_SILENT_SECONDS:  # noqa: TID251 - the clock of its files
        raise NotHealthy(f"{file} has not been written for {CLOCK_SILENT_SECONDS} seconds")


CHECKS: dict[str, Callable[[], None]] = {
    "web": _check_web,
    "flower": _check_flower,
    "relay": _check_relay,
    "beat": _check_beat,
}


def main() -> int:
    """Returns 0 or 1, as the container engine expects."""
    try:
        check(sys.argv[1])
    except NotHealthy as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
