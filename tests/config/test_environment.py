"""Settings that are missing or misspelt are findings with a hint."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from config import dev, devstack

ROOT = Path(__file__).resolve().parents[2]
WRONG = """
SECRET_KEY=
DATABASE_URL=postgresql://user:password@127.0.0.1:1/minutebook
CACHE_URL=redis://127.0.0.1:1/1
JOB_WINDOW=many
EMAIL_URL=carrier-pigeon://loft
UPLOAD_AT_ONCE=3
FAVOURITE_COLOUR=blue
"""
FINDINGS = {
    "core.E001": "SECRET_KEY is missing",
    "core.E003": "REDIS_URL names no",
    "core.E017": "JOB_WINDOW cannot be read",
    "core.E018": "The broker does not answer",
    "core.W006": "FAVOURITE_COLOUR is no setting",
}


@pytest.mark.slow
def test_wrong_settings_are_findings_and_no_traceback(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(WRONG)
    environment = {
        "PATH": os.environ["PATH"],
        "ENV_FILE": str(file),
        "STORAGE_URL": str(tmp_path / "files"),
        "DATABASE_CONNECT_ATTEMPTS": "1",
    }
    checked = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert checked.returncode == 1
    assert "Traceback" not in checked.stderr
    for number, message in FINDINGS.items():
        assert f"({number}) {message}" in checked.stderr
    assert "(core.E017) EMAIL_URL cannot be read" in checked.stderr
    assert "Did you mean UPLOADS_AT_ONCE?" in checked.stderr
    assert checked.stderr.count("HINT: ") >= len(FINDINGS)


def test_port_asked_for_is_kept_and_a_taken_one_is_an_error(tmp_path: Path) -> None:
    memory = tmp_path / "web.port"
    asked = devstack.free_port()
    assert dev._port(memory, asked, 8000) == asked
    assert dev._port(memory, None, 8000) == asked
    with socket.create_server(("127.0.0.1", asked)):
        with pytest.raises(devstack.ServiceError, match=f"port {asked} is taken"):
            dev._port(memory, asked, 8000)
        assert dev._port(memory, None, 8000) > asked
