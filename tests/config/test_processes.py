"""The processes: complete, served, and stopped to the last one."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from config import dev
from config.processes import FEW_WORKERS, Places, Process, processes
from core.jobs.queues import QUEUES

WAITS = "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True)"
SLEEPS = Process("sleeps", "nothing", ("python", "-c", "import time; time.sleep(600)"))
STUBBORN = Process("deaf", "nothing", ("python", "-c", f"{WAITS}; time.sleep(600)"))
DIES = Process("dies", "nothing", ("python", "-c", "import sys; print('no luck'); sys.exit(3)"))


def runner_in(folder: Path, output: io.StringIO, grace_seconds: float = 10) -> dev.Runner:
    return dev.Runner(folder, dev.Output(output), grace_seconds=grace_seconds)


def until(condition: object) -> None:
    deadline = time.monotonic() + 20
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def alive(number: int) -> bool:
    return dev._born(number) is not None


def test_every_queue_is_served_by_exactly_one_worker() -> None:
    served = [
        queue
        for process in processes(Places()).values()
        if "-Q" in process.command
        for queue in process.command[process.command.index("-Q") + 1].split(",")
    ]

    assert sorted(served) == sorted(QUEUES)


def test_senders_take_no_process_from_other_work() -> None:
    """Each stays while there is anything to send, and there are as many as WEBHOOK_SENDERS."""
    shared = [worker.queues for worker in FEW_WORKERS if "webhook" in worker.queues]

    assert shared == [("webhook",)]


def test_the_readme_shows_the_workers_of_one_machine() -> None:
    readme = (Path(dev.__file__).with_name("deploy") / "README.md").read_text("utf-8")

    for worker in FEW_WORKERS:
        assert f"worker -Q {','.join(worker.queues)} -c {worker.concurrency}`" in readme


def test_every_program_is_installed() -> None:
    programs = [dev._program(process.command[0])[0] for process in processes(Places()).values()]

    assert [program for program in programs if not os.access(program, os.X_OK)] == []


def test_no_secret_is_on_a_command_line() -> None:
    words = " ".join(word for process in processes(Places()).values() for word in process.command)

    assert "password" not in words
    assert "basic" not in words


def test_lines_come_out_behind_the_name_of_their_process(tmp_path: Path) -> None:
    output = io.StringIO()
    runner = runner_in(tmp_path, output)
    runner.start(DIES, dict(os.environ))
    until(lambda: "no luck" in output.getvalue())
    runner.stop()

    assert output.getvalue() == "dies   | no luck\n"


def test_a_process_that_ends_by_itself_is_named(tmp_path: Path) -> None:
    runner = runner_in(tmp_path, io.StringIO())
    runner.start(SLEEPS, dict(os.environ))
    runner.start(DIES, dict(os.environ))

    with pytest.raises(dev.ProcessDied, match="dies ended with code 3"):
        runner.watch()
    runner.stop()


def test_a_stop_ends_every_process_and_leaves_no_record(tmp_path: Path) -> None:
    runner = runner_in(tmp_path, io.StringIO())
    runner.start(SLEEPS, dict(os.environ))
    runner.start(Process("other", "", SLEEPS.command), dict(os.environ))
    numbers = [child.pid for child in runner._running.values()]

    runner.stop()

    assert not any(alive(number) for number in numbers)
    assert list(tmp_path.iterdir()) == []


def test_a_process_deaf_to_the_request_is_killed_after_the_grace_period(tmp_path: Path) -> None:
    output = io.StringIO()
    runner = runner_in(tmp_path, output, grace_seconds=0.2)
    runner.start(STUBBORN, dict(os.environ))
    until(lambda: "up" in output.getvalue())

    runner.stop()

    assert "deaf   | did not stop in time and is killed" in output.getvalue()


def test_what_a_killed_runner_left_is_ended_by_the_next_one(tmp_path: Path) -> None:
    script = f"""
import os, io, signal
from pathlib import Path
from config import dev
from config.processes import Process
runner = dev.Runner(Path({str(tmp_path)!r}), dev.Output(io.StringIO()), grace_seconds=1)
runner.start(Process("sleeps", "", {SLEEPS.command!r}), dict(os.environ))
print(runner._running["sleeps"].pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    orphan = int(done.stdout)

    assert done.returncode == -signal.SIGKILL
    assert alive(orphan)
    assert dev.stop_orphans(tmp_path) == [orphan]
    until(lambda: not alive(orphan))
    assert list(tmp_path.iterdir()) == []


def test_a_living_runner_keeps_its_processes(tmp_path: Path) -> None:
    runner = runner_in(tmp_path, io.StringIO())
    runner.start(SLEEPS, dict(os.environ))

    assert dev.stop_orphans(tmp_path) == []
    assert psutil.pid_exists(runner._running["sleeps"].pid)
    runner.stop()
