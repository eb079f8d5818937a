"""`./mb faults [ARGS]`: the faults, on servers of this run's own; ARGS go to pytest.

The programs that put some of them in are installed where they are missing, as `./mb judges` does.
Most of the time somebody waits for a lease or a server to come back. So without ARGS the files are
done in two halves at once, each on servers of its own.
"""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryDirectory, TemporaryFile

from config import devstack
from config.judges import Debian, NotInstalled

FOLDER = "tests/faults"
TOOLS = (Debian("faketime", "faketime"), Debian("prlimit", "util-linux"))
SETTINGS = "--ds=config.settings_test"  # importing config names the others


def main(arguments: list[str]) -> int:
    """Run the tests; 0 when all have passed."""
    _install_tools()
    for name in devstack.URLS:
        os.environ.pop(name, None)
    if arguments:
        chosen = [] if any(word.startswith(FOLDER) for word in arguments) else [FOLDER]
        return _in_parts([[*chosen, *arguments]])
    files = sorted(path.name for path in (devstack.ROOT / FOLDER).glob("test_*.py"))
    named = [f"{FOLDER}/{name}" for name in files]
    return _in_parts([named[::2], named[1::2]])


def _install_tools() -> None:
    """What cannot be installed is reported here and by the tests that need it, which fail."""
    for tool in TOOLS:
        try:
            tool.install()
        except NotInstalled as error:
            print(f"faults: {error}", file=sys.stderr)


def _in_parts(parts: list[list[str]]) -> int:
    """All parts at once; what the later ones say is shown when the first has ended."""
    with ExitStack() as stack:
        homes = [stack.enter_context(_servers()) for _ in parts]
        heard = [None, *(stack.enter_context(TemporaryFile("w+")) for _ in parts[1:])]
        running = [
            subprocess.Popen(_command(part), cwd=devstack.ROOT, env=home, stdout=said, stderr=said)
            for part, home, said in zip(parts, homes, heard, strict=True)
        ]
        codes = [process.wait() for process in running]
        for said in heard[1:]:
            assert said is not None
            said.seek(0)
            sys.stdout.write(said.read())
    return max(map(abs, codes))


def _command(arguments: list[str]) -> list[str]:
    return [sys.executable, "-m", "pytest", "-n0", SETTINGS, *arguments]


@contextmanager
def _servers() -> Iterator[dict[str, str]]:
    """Durable servers in a passing folder, as an environment for the tests."""
    with TemporaryDirectory(prefix="minutebook-faults-") as home:
        try:
            os.environ["DEVSTACK_HOME"] = home
            _choose_ports()
            own = {"FAULTS_SERVERS": home, "PYTHONDONTWRITEBYTECODE": "1"}
            yield os.environ | devstack.up("dev") | own
        finally:
            os.environ["DEVSTACK_HOME"] = home
            devstack.down("dev")


def _choose_ports() -> None:
    """Ports below those that the kernel lends to clients.

    A client that knocks again and again at a port of its own range, while its server is away, may
    be lent that very port and find itself; the server could not have it back.
    """
    ports = [port for port in random.sample(range(20_000, 30_000), 50) if _is_free(port)]
    known = dict(zip(("pg_port", "redis_port"), ports, strict=False))
    (devstack.home("dev") / "state.json").write_text(json.dumps(known), "utf-8")


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        return listener.connect_ex((devstack.LOOPBACK, port)) != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
