"""Liveness and readiness."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from core.monitoring import dependency_checks, health
from core.monitoring.health import Status

READY = "/api/health/ready"


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process in which nothing is registered yet."""
    monkeypatch.setattr(health, "_checks", {})


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server that takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_process_that_answers_is_alive() -> None:
    answer = Client().get("/api/health/live")

    assert (answer.status_code, answer.json()) == (200, {"status": "healthy"})


@pytest.mark.django_db(transaction=True)
def test_with_all_dependencies_up_it_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_checks", {})
    dependency_checks.register()

    answer = Client().get(READY)

    found = answer.json()
    assert answer.status_code == 200, found
    assert found["status"] == "healthy"
    assert set(found["checks"]) == {"database", "broker", "cache"}
    assert all(check["latency_ms"] > 0 for check in found["checks"].values())


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("only")
def test_without_the_database_it_is_not(monkeypatch: pytest.MonkeyPatch, closed_port: int) -> None:
    dependency_checks.register()
    monkeypatch.setitem(connections.settings["default"], "PORT", str(closed_port))

    answer = Client().get(READY)

    assert answer.status_code == 503
    assert answer.json()["status"] == "unhealthy"
    database = answer.json()["checks"]["database"]
    assert database["status"] == "unhealthy"
    assert database["problem"] == "OperationalError"
    assert answer.json()["checks"]["cache"]["status"] == "healthy"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("only")
def test_without_the_broker_it_is_degraded(settings: Any, closed_port: int) -> None:
    dependency_checks.register()
    settings.REDIS_URL = f"redis://127.0.0.1:{closed_port}/0"

    answer = Client().get(READY)

    assert answer.status_code == 200
    assert answer.json()["checks"]["broker"]["status"] == "degraded"
    assert answer.json()["status"] == "degraded"


@pytest.mark.usefixtures("only")
def test_a_neighbour_that_never_answers_does_not_hold_it_up(
    settings: Any, silent_port: int
) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{silent_port}/0"
    health.register("broker", dependency_checks.check_broker, critical=True)

    answer = Client().get(READY)

    assert answer.status_code == 503
    assert answer.json()["checks"]["broker"]["status"] == "unhealthy"


@pytest.mark.usefixtures("only")
def test_a_check_that_hangs_is_cut_off_and_not_started_again() -> None:
    release, starts = threading.Event(), []

    def stuck() -> None:
        starts.append(threading.current_thread())
        release.wait(timeout=60)

    health.register("stuck", stuck, critical=True)
    health.register("fine", lambda: None)
    try:
        found = [health.examine(limit_seconds=0.1) for _ in range(3)]
    finally:
        release.set()

    assert {status for status, _ in found} == {Status.UNHEALTHY}
    assert found[0][1]["stuck"].problem == "no answer in time"
    assert found[0][1]["fine"].status is Status.HEALTHY
    assert len(starts) == 1
    starts[0].join()
    assert health.examine()[0] is Status.HEALTHY


@pytest.mark.usefixtures("only")
def test_a_slow_answer_is_degraded() -> None:
    health.register("slow", lambda: threading.Event().wait(0.02), slow_ms=1)

    status, findings = health.examine()

    assert (status, findings["slow"].problem) == (Status.DEGRADED, "slow")


@pytest.mark.usefixtures("only")
def test_what_failed_is_named_without_its_words() -> None:
    def fail() -> None:
        raise ConnectionError("password hunter2 refused for ann@10.0.0.7")

    health.register("thing", fail)

    answer = Client().get(READY)

    assert answer.json()["checks"]["thing"]["problem"] == "ConnectionError"
    assert "hunter2" not in answer.content.decode()


@pytest.mark.usefixtures("only")
def test_an_app_can_add_a_check_and_replace_it() -> None:
    health.register("model", lambda: 1 / 0)
    health.register("model", lambda: None)

    assert health.examine()[0] is Status.HEALTHY
