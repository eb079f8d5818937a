"""The web process as config/deploy/README.md starts it: staff pages with their style sheets."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from email.message import Message
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from django.core.checks import run_checks
from pytest_django.fixtures import Settings

from config.processes import Places, processes
from tests.processes import free_port, house, wait_until

ROOT = Path(__file__).resolve().parents[2]


def fetch(address: str, **headers: str) -> tuple[Message, bytes]:
    with urlopen(Request(address, headers=headers), timeout=20) as answer:
        return answer.headers, answer.read()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_sign_in_page_and_its_files_are_served(tmp_path: Path) -> None:
    port, folder = free_port(), str(tmp_path / "static")
    collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
    with house(tmp_path, port=port, STATIC_ROOT=folder, COOKIES_SECURE="false") as installation:
        environment = {**os.environ, **installation.environment}
        subprocess.run(collect, cwd=ROOT, env=environment, check=True)
        installation.start("web")
        address = f"http://localhost:{port}"
        wait_until(lambda: "Started worker" in installation.said(), "the web process runs")

        _, page = fetch(f"{address}/admin/login/")
        (style,) = re.findall(r'href="(/static/admin/css/base\.[0-9a-f]{12}\.css)"', page.decode())
        headers, text = fetch(address + style, **{"Accept-Encoding": "gzip"})

    assert "immutable" in headers["Cache-Control"]
    assert headers["Content-Encoding"] == "gzip"
    assert text


def test_readme_shows_the_command_of_the_web_process() -> None:
    (command,) = re.findall(
        r"\| web \| `(.+?)` \|", (ROOT / "config/deploy/README.md").read_text("utf-8")
    )
    words = processes(Places(host="127.0.0.1"))["web"].command

    assert set(command.split()) <= set(words)
    assert words[-1] in command


@pytest.mark.django_db
def test_missing_static_files_are_found(settings: Settings, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
    assert "core.E015" in {finding.id for finding in run_checks(include_deployment_checks=True)}
