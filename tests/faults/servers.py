"""The PostgreSQL and the Valkey of these tests, to be stopped and started as it pleases them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import redis
from django.conf import settings
from django.db import connection

from config import devstack
from tests.faults.ledger import FOLDER
from tests.processes import wait_until


@dataclass(frozen=True, slots=True)
class Servers:
    """Those that `./mb faults` started in `folder`; what dies here is nobody else's."""

    folder: Path

    def stop_postgresql(self) -> None:
        """Without a goodbye, as if the power had gone: `pg_ctl stop -m immediate`."""
        connection.close()
        (recorded,) = self.folder.glob("pg*/postmaster.pid")
        server = int(recorded.read_text().partition("\n")[0])
        os.kill(server, signal.SIGQUIT)
        wait_until(lambda: not _is_alive(server), "PostgreSQL has stopped")

    def kill_redis(self) -> None:
        """kill -9 of the broker and the cache; what they held is gone."""
        with redis.Redis.from_url(settings.REDIS_URL) as client:
            server = int(client.info("server")["process_id"])
        os.kill(server, signal.SIGKILL)
        wait_until(lambda: not _is_alive(server), "Valkey is gone")
        (self.folder / "valkey" / "dump.rdb").unlink(missing_ok=True)

    def start(self) -> None:
        """Whatever does not run, where it was before."""
        others = {*devstack.URLS, FOLDER}
        environment = {name: value for name, value in os.environ.items() if name not in others}
        command = [sys.executable, "-m", "config.devstack", "up"]
        said = subprocess.run(
            command, cwd=devstack.ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert said.returncode == 0, said.stderr
        port = urlsplit(settings.REDIS_URL).port
        assert f":{port}/" in said.stdout, f"Valkey left port {port}"
        assert f":{connection.settings_dict['PORT']}/" in said.stdout, "PostgreSQL has too"

    def empty_redis(self) -> None:
        with redis.Redis.from_url(settings.REDIS_URL) as client:
            client.flushall()


def away_for(seconds: float, since: float) -> None:
    """Sleep until so many seconds after `since`, on the monotonic clock."""
    time.sleep(max(0.0, since + seconds - time.monotonic()))


def _is_alive(number: int) -> bool:
    with suppress(psutil.Error):
        return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    return False
