"""The health checks of the containers, against a real house: yes while a process works, then no."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from django.db import connection

from config.deploy import health
from tests.processes import database_url


class Answers(BaseHTTPRequestHandler):
    """A page that is well at /healthcheck and unwell anywhere else."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthcheck" else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def port() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield str(server.server_port)
        server.shutdown()
        thread.join()


def test_a_page_that_answers_is_healthy(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWER_PORT", port)
    health.check("flower")


def test_a_page_that_is_not_ready_is_not(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_PORT", port)
    with pytest.raises(health.NotHealthy, match="503"):
        health.check("web")


def test_a_page_that_nobody_serves_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("WEB_PORT", str(free.getsockname()[1]))
        with pytest.raises(health.NotHealthy, match="refused"):
            health.check("web")


def test_a_worker_that_does_not_answer_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "ANSWER_SECONDS", 0.3)
    with pytest.raises(health.NotHealthy, match="does not answer"):
        health.check("worker-absent")


@pytest.mark.django_db(transaction=True)
def test_a_relay_is_known_by_what_it_asked_lately(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url())
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    health.check("relay")

    monkeypatch.setattr(health, "RELAY_SILENT_SECONDS", -60)
    with pytest.raises(health.NotHealthy, match="asked nothing"):
        health.check("relay")


def test_a_clock_is_known_by_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "schedule"
    monkeypatch.setenv("SCHEDULE_FILE", str(file))
    with pytest.raises(health.NotHealthy, match="has not been written"):
        health.check("beat")

    file.touch()
    health.check("beat")

    os.utime(file, (0, 0))
    with pytest.raises(health.NotHealthy, match="has not been written"):
        health.check("beat")
