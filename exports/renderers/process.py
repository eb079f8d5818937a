"""Rendering in a process of its own, which gives its memory back and can be limited.

A layout engine in native code cannot be interrupted, keeps what memory it took, and may take any
amount of both for a text that was made for that.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import resource
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from exports.renderers.minutes import Minutes
from exports.renderers.notes import Notes
from exports.renderers.options import Options

# `./mb bench exports` shows what a meeting takes; worker-export in docker-compose.yml has room for
# two of these.
MOST_MEMORY_BYTES = 768 * 1024**2
MOST_CPU_SECONDS = 60
_ROOT = Path(__file__).resolve().parents[2]
_OUT_OF_MEMORY = 3
# Of the limits: CPU time, and memory that Rust or the kernel does not have.
_DEATHS = (-signal.SIGXCPU, -signal.SIGABRT, -signal.SIGKILL, _OUT_OF_MEMORY)
_PR_SET_PDEATHSIG = 1


class TooMuch(Exception):
    """The file takes more time or memory than there is for one."""


def render_apart(
    module: str,
    minutes: Minutes,
    options: Options,
    target: Path,
    *,
    memory_bytes: int = MOST_MEMORY_BYTES,
    cpu_seconds: int = MOST_CPU_SECONDS,
) -> Notes:
    """Let `exports.renderers.<module>` write the file. Raises TooMuch, or the OSError of a disk."""
    limits = (str(memory_bytes), str(cpu_seconds))
    command = (sys.executable, "-m", "exports.renderers.process", module, str(target), *limits)
    done = subprocess.run(
        command,
        input=pickle.dumps((minutes, options)),
        cwd=_ROOT,
        capture_output=True,
        check=False,
    )
    if done.returncode in _DEATHS:
        raise TooMuch(f"exit {done.returncode}: {done.stderr[-500:].decode(errors='replace')}")
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-4000:].decode(errors="replace"))
    result: Notes | OSError = pickle.loads(done.stdout)  # noqa: S301 - written by `_main`
    if isinstance(result, OSError):
        raise result
    return result


def _main(module: str, target: Path, memory_bytes: int, cpu_seconds: int) -> None:
    _end_with_the_parent()
    minutes, options = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 - by `render_apart`
    _limit(resource.RLIMIT_CPU, cpu_seconds)
    _limit(resource.RLIMIT_DATA, memory_bytes)
    result: Any
    try:
        try:
            result = import_module(f"exports.renderers.{module}").render(minutes, options, target)
        except OSError as error:  # a full disk: its errno says so to the caller
            result = OSError(error.errno, error.strerror)
        written = pickle.dumps(result or Notes())
    except MemoryError:
        _end_at_once(_OUT_OF_MEMORY)
    sys.stdout.buffer.write(written)


def _limit(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (soft, hard))


def _end_with_the_parent() -> None:
    """A worker that is killed leaves nobody at work. Only Linux has this."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            _end_at_once(1)


def _end_at_once(code: int) -> NoReturn:
    os._exit(code)


if __name__ == "__main__":
    _main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
