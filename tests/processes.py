"""Real processes of the installation, started by their own commands against the test database."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection

from config.processes import Places, processes

PATIENCE_SECONDS = 60.0


@dataclass
class House:
    """Starts processes of one installation and ends them all when the test does."""

    folder: Path
    port: int
    environment: Mapping[str, str]
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(
        self, name: str, *options: str, under: tuple[str, ...] = ()
    ) -> subprocess.Popen[bytes]:
        """One process of the table in a group of its own; what it says goes to a file.

        `under` is a program, with its options, that runs it: a false clock, a narrow limit.
        """
        places = Places(host="127.0.0.1", port=self.port)
        program, *arguments = processes(places)[name].command
        return self.run(program, *arguments, *options, name=name, under=under)

    def run(
        self, program: str, *arguments: str, name: str = "", under: tuple[str, ...] = ()
    ) -> subprocess.Popen[bytes]:
        """The same with any program of the virtual environment."""
        with self.log(name or program).open("ab") as log:
            process = subprocess.Popen(
                [*under, str(Path(sys.executable).parent / program), *arguments],
                cwd=Path(__file__).resolve().parent.parent,
                env={**os.environ, **self.environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def said(self) -> str:
        """What all of them have said so far."""
        return "".join(path.read_text(errors="replace") for path in self.folder.glob("*.log"))

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """kill -9 of the process and all that it started."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def end(self) -> None:
        for process in self.started:
            if process.poll() is None:
                self.kill(process)


@contextmanager
def house(folder: Path, *, port: int | None = None, **environment: str) -> Iterator[House]:
    """An installation on the test database, with short times so that faults show in seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    given = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": database_url(),
        "STORAGE_URL": str(settings.STORAGES["default"]["OPTIONS"]["location"]),
        "JOB_LEASE_SECONDS": "2",
        "RELAY_PERIOD_SECONDS": "0.2",
        "OMP_NUM_THREADS": "1",
        "LOG_LEVEL": "INFO",
        "PYTHONUNBUFFERED": "1",
    }
    started = House(folder, port or free_port(), {**given, **environment})
    try:
        yield started
    finally:
        started.end()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def database_url() -> str:
    """The address of the database that this test runs on."""
    at = connection.settings_dict
    return (
        f"postgresql://{at['USER']}:{quote(at['PASSWORD'])}@{at['HOST']}:{at['PORT']}/{at['NAME']}"
    )


def wait_until(
    met: Callable[[], object],
    what: str,
    *,
    patience: float = PATIENCE_SECONDS,
    every: float = 0.05,
) -> None:
    """Look again and again; AssertionError with `what` when it has not come true in time."""
    end = time.monotonic() + patience
    while not met():
        assert time.monotonic() < end, f"not within {patience} s: {what}"
        time.sleep(every)
