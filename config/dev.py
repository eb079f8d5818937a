"""`./mb dev`: every process of the installation in one terminal, all of them stopped with it."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TextIO

import psutil
from django.core.management import call_command

from config import devstack, local
from config.processes import Places, Process, processes

COLOURS = ("36", "33", "35", "32", "34", "31")
COLOUR_CODE = re.compile(r"\033\[[0-9;]*m")
READY_SECONDS = 90
WEB_PORT, FLOWER_PORT = 8000, 5555


class ProcessDied(Exception):
    """A process ended by itself, so what is left would only pretend to work."""


class Output:
    """Lines of several processes on one stream, each behind the name of its process."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._colours: dict[str, str] = {}

    def write(self, name: str, line: str) -> None:
        """One line. Colours are for terminals: elsewhere those of the processes are removed."""
        if not self._stream.isatty():
            line = COLOUR_CODE.sub("", line)
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._stream.write(f"{self._label(name)} {line}\n")
            self._stream.flush()

    def _label(self, name: str) -> str:
        label = f"{name:<7}|"
        if not self._stream.isatty():
            return label
        colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
        return f"\033[{colour}m{label}\033[0m"


class Runner:
    """Starts processes, watches them and stops them: politely, and after the grace period not."""

    def __init__(self, folder: Path, output: Output, *, grace_seconds: float) -> None:
        self._output = output
        self._grace_seconds = grace_seconds
        self._running: dict[str, subprocess.Popen[str]] = {}
        self._readers: list[threading.Thread] = []
        self._record = folder / f"run-{os.getpid()}.json"
        self._stops_asked = 0

    def start(self, process: Process, environment: dict[str, str]) -> None:
        """Start a process in a session of its own, so that Ctrl-C reaches it through us only."""
        child = subprocess.Popen(
            [*_program(process.command[0]), *process.command[1:]],
            cwd=devstack.ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        self._running[process.name] = child
        reader = threading.Thread(target=self._read, args=(process.name, child), daemon=True)
        reader.start()
        self._readers.append(reader)
        self._write_record()

    def _read(self, name: str, child: subprocess.Popen[str]) -> None:
        for line in child.stdout or ():
            self._output.write(name, line.rstrip("\n"))

    def check(self) -> None:
        """Raise ProcessDied if one ended by itself."""
        for name, child in self._running.items():
            if child.poll() is not None:
                raise ProcessDied(f"{name} ended with code {child.returncode}")

    @property
    def stop_asked(self) -> bool:
        """Whether a signal asked for the end."""
        return self._stops_asked > 0

    def ask_to_stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """A signal handler. Asked twice, the grace period is over."""
        self._stops_asked += 1

    def watch(self) -> None:
        """Until a stop is asked for; raises ProcessDied if a process ends before."""
        while not self.stop_asked:
            self.check()
            time.sleep(0.2)

    def stop(self) -> None:
        """SIGTERM to each, the grace period for all, then SIGKILL to what is left."""
        for child in self._running.values():
            if child.poll() is None:
                child.terminate()
        asked, deadline = self._stops_asked, time.monotonic() + self._grace_seconds
        while self._left() and time.monotonic() < deadline and self._stops_asked <= max(asked, 1):
            time.sleep(0.05)
        for name in self._left():
            self._output.write(name, "did not stop in time and is killed")
        for child in self._running.values():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)  # the whole session: a pool's children too
            child.wait()
        for reader in self._readers:
            reader.join(1)
        self._record.unlink(missing_ok=True)

    def _left(self) -> list[str]:
        return [name for name, child in self._running.items() if child.poll() is None]

    def _write_record(self) -> None:
        numbers = [os.getpid(), *(child.pid for child in self._running.values())]
        self._record.write_text(json.dumps([(n, _born(n)) for n in numbers]), "utf-8")


def stop_orphans(folder: Path) -> list[int]:
    """End what a killed runner left behind, and return the process numbers."""
    ended = []
    for record in folder.glob("run-*.json"):
        (runner, born), *children = json.loads(record.read_text("utf-8"))
        if _born(runner) == born:
            continue
        for number, child_born in children:
            if _born(number) == child_born:
                os.killpg(number, signal.SIGKILL)
                ended.append(int(number))
        record.unlink()
    return ended


def is_running() -> bool:
    """Whether some runner of this installation is at work."""
    return any(True for _ in devstack.home().glob("run-*.json"))


def _born(number: int) -> float | None:
    """When a live process was started: tells it from a later one with the same number."""
    try:
        process = psutil.Process(number)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.NoSuchProcess:
        return None


def _program(name: str) -> list[str]:
    """A command of this virtual environment, whatever PATH says."""
    if name == "python":
        return [sys.executable]
    return [str(Path(sys.executable).with_name(name))]


# --- What the processes get -------------------------------------------------------------------


def prepare() -> Path:
    """Services, tables and static files: all that the processes find ready. Returns the folder."""
    local.prepare()
    local.migrate()
    call_command("collectstatic", interactive=False, verbosity=0)
    folder = devstack.home()
    stop_orphans(folder)
    return folder


def chosen_places(
    folder: Path, *, port: int | None = None, flower_port: int | None = None
) -> Places:
    """The ports asked for, else those of the last run, else the usual or the next free ones.

    Raises ServiceError when a port that was asked for is taken.
    """
    return Places(
        host=devstack.LOOPBACK,
        port=_port(folder / "web.port", port, WEB_PORT),
        flower_port=_port(folder / "flower.port", flower_port, FLOWER_PORT),
        schedule_file=str(folder / "celerybeat-schedule"),
        grace_seconds=grace_seconds(),
    )


def grace_seconds() -> int:
    """How long a process may take to finish what it does."""
    return int(float(os.environ.get("SHUTDOWN_GRACE_SECONDS", "60")))


def environment_of(name: str, places: Places) -> dict[str, str]:
    """The environment of one process. Only the web process debugs: DEBUG remembers every query."""
    own = {"PYTHONUNBUFFERED": "1"}
    if name in ("speech", "sending", "worker"):
        own["OMP_NUM_THREADS"] = "1"
        # macOS ends a forked process that touches its frameworks unless told otherwise.
        own["OBJC_DISABLE_INITIALIZE_FORK_SAFETY"] = "YES"
    if name == "flower":
        own["FLOWER_BASIC_AUTH"] = f"admin:{flower_password()}"
    usual = {"PUBLIC_URL": f"http://localhost:{places.port}", "DEBUG": str(name == "web").lower()}
    return usual | os.environ | own


def flower_password() -> str:
    """Made once. Flower's own API asks for it too."""
    return devstack.kept_secret("dev", "flower_password")[:24]


def _port(memory: Path, asked: int | None, usual: int) -> int:
    """Remember the port, so that links still lead here after a restart."""
    if asked is not None and not _is_free(asked):
        raise devstack.ServiceError(f"port {asked} is taken: name another, or none for a free one")
    last = memory.read_text("utf-8") if memory.exists() else ""
    port = asked or _first_free_port(int(last) if last.isdigit() else usual)
    memory.write_text(str(port), "utf-8")
    return port


def _first_free_port(port: int) -> int:
    while not _is_free(port):
        port += 1
    return port


def _is_free(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((devstack.LOOPBACK, port), 0.5):
        return False
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((devstack.LOOPBACK, port))
        except OSError:
            return False
    return True


# --- The command ------------------------------------------------------------------------------


@contextlib.contextmanager
def running(
    names: tuple[str, ...], places: Places, folder: Path, output: Output
) -> Iterator[Runner]:
    """The named processes, running while the block runs, whatever ends it."""
    runner = Runner(folder, output, grace_seconds=places.grace_seconds)
    table = processes(places)
    with _signals_go_to(runner.ask_to_stop):
        try:
            for name in names:
                runner.start(table[name], environment_of(name, places))
            yield runner
        finally:
            runner.stop()


@contextlib.contextmanager
def _signals_go_to(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def wait_for_web(runner: Runner, port: int) -> None:
    """Until the web process accepts connections. Raises ProcessDied if a process ends before."""
    deadline = time.monotonic() + READY_SECONDS
    while not runner.stop_asked and _is_free(port):
        runner.check()
        if time.monotonic() > deadline:
            raise ProcessDied(f"web did not listen on port {port} within {READY_SECONDS} seconds")
        time.sleep(0.1)


def _addresses(places: Places) -> str:
    web = f"http://localhost:{places.port}"
    return f"""
  API      {web}/api/v1/        docs {web}/api/docs/
  Admin    {web}/admin/         for staff: ./mb manage createsuperuser
  Flower   http://localhost:{places.flower_port}/   user admin, password {flower_password()}
  A key    ./mb manage bootstrap --organization NAME --email EMAIL --password PASSWORD
  Ctrl-C stops all of it; ./mb down stops PostgreSQL and Valkey.
"""


def main() -> int:
    """Run everything until Ctrl-C. Returns 1 if a process died or a port is taken."""
    parser = argparse.ArgumentParser(prog="./mb dev", description=__doc__)
    parser.add_argument("--port", type=int, help="of the API, the admin and the docs")
    parser.add_argument("--flower-port", type=int, help="of Flower")
    asked = parser.parse_args()
    output = Output(sys.stdout)
    try:
        folder = prepare()
        places = chosen_places(folder, port=asked.port, flower_port=asked.flower_port)
        table = processes(places).values()
        names = tuple(process.name for process in table if not process.is_optional)
        with running(names, places, folder, output) as runner:
            wait_for_web(runner, places.port)
            if not runner.stop_asked:
                print(_addresses(places), flush=True)
            runner.watch()
            output.write("mb", "stopping; Ctrl-C again does not wait")
    except (ProcessDied, devstack.ServiceError) as error:
        print(f"mb: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
