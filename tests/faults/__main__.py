"""`./mb faults [ARGS]`: the faults, on servers of this run's own; ARGS go to pytest."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
from tempfile import TemporaryDirectory

from config import devstack

FOLDER = "tests/faults"
SETTINGS = "--ds=config.settings_test"  # importing config names the others


def main(arguments: list[str]) -> int:
    """Start durable servers in a passing folder, run the tests, and remove both."""
    for name in devstack.URLS:
        os.environ.pop(name, None)
    with TemporaryDirectory(prefix="minutebook-faults-") as home:
        os.environ["DEVSTACK_HOME"] = home
        try:
            _choose_ports()
            return _run(arguments, devstack.up("dev"))
        finally:
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


def _run(arguments: list[str], urls: dict[str, str]) -> int:
    chosen = [] if any(word.startswith(FOLDER) for word in arguments) else [FOLDER]
    command = [sys.executable, "-m", "pytest", "-n0", SETTINGS, *chosen, *arguments]
    own = {"FAULTS_SERVERS": os.environ["DEVSTACK_HOME"], "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        command, cwd=devstack.ROOT, env=os.environ | urls | own, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
