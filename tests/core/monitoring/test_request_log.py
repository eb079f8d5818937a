"""One id and one line for every request."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from django.test import Client

from core.monitoring.logs import configure
from core.monitoring.requests import bound_to_request, current_request_id
from tests import make

LIVE = "/api/health/live"


@pytest.fixture
def lines() -> Iterator[Any]:
    """Everything logged at INFO and above during a test, as it is written."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure({"level": "INFO", "format": "json"})
    written = io.StringIO()
    ours: Any = root.handlers[0]
    ours.setStream(written)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_request_gets_an_id() -> None:
    first, second = Client().get(LIVE), Client().get(LIVE)

    assert len(first.headers["X-Request-ID"]) == 32
    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]


def test_an_acceptable_id_of_the_caller_is_kept() -> None:
    answer = Client().get(LIVE, headers={"X-Request-ID": "trace-0123.4_5"})

    assert answer.headers["X-Request-ID"] == "trace-0123.4_5"


@pytest.mark.parametrize(
    "given", ["short", "x" * 65, "with space", 'quote"quote', "ключключ", "a\tbcdefgh"]
)
def test_any_other_is_replaced(given: str) -> None:
    answer = Client().get(LIVE, HTTP_X_REQUEST_ID=given)

    assert answer.headers["X-Request-ID"] != given


@pytest.mark.django_db
def test_a_request_is_one_line_with_route_status_time_and_ids(lines: Any) -> None:
    actor = make.actor()
    client = make.client(actor)
    team = make.team(organization=actor.organization)

    answer = client.get(f"/api/v1/teams/{team.id}/members/?page_size=17")

    (line,) = [x for x in lines() if x["event"] == "request"]
    assert line["route"] == "/api/v1/teams/<str:pk>/members/"
    assert (line["method"], line["status"], line["level"]) == ("GET", 200, "info")
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert line["organization_id"] == str(actor.organization.id)
    assert line["user_id"] == str(actor.user.id)
    assert line["api_key_id"]
    assert line["ms"] > 0
    assert str(team.id) not in json.dumps(lines())
    assert "page_size" not in json.dumps(lines())


@pytest.mark.django_db
@pytest.mark.urls("tests.core.http.urls")
def test_a_mistake_of_ours_has_its_traceback_and_no_address(lines: Any) -> None:
    Client(raise_request_exception=False).get("/api/raise/mistake?signature=verysecret")

    mistake, request = lines()
    assert "ZeroDivisionError" in mistake["exception"]
    assert (request["event"], request["status"]) == ("request", 500)
    assert mistake["request_id"] == request["request_id"]
    assert "verysecret" not in json.dumps(lines())


@pytest.mark.django_db
@pytest.mark.urls("tests.core.http.urls")
def test_a_refusal_is_one_line_whatever_its_status(lines: Any) -> None:
    Client().get("/api/raise/busy")

    assert [line["status"] for line in lines()] == [503]


@pytest.mark.django_db
def test_an_address_that_nothing_answers_is_not_logged(lines: Any) -> None:
    Client().get("/api/v1/with-a-secret-in-it")

    assert [x["route"] for x in lines()] == ["/api/<path:rest>"]

    Client().get("/with-a-secret-in-it")

    assert [x["route"] for x in lines()][1:] == ["unmatched"]


def test_every_line_of_a_block_names_the_request(lines: Any) -> None:
    with bound_to_request("request-0001", job_id="7"):
        structlog.get_logger("ours").info("inner")
        logging.getLogger("theirs").warning("inner %s", "too")
        assert current_request_id() == "request-0001"
        with bound_to_request("request-0002"):
            structlog.get_logger("ours").info("nested")
    structlog.get_logger("ours").info("outer")

    ours, theirs, nested, outer = lines()
    assert (ours["request_id"], ours["job_id"], ours["event"]) == ("request-0001", "7", "inner")
    assert (theirs["request_id"], theirs["event"]) == ("request-0001", "inner too")
    assert (nested["request_id"], "job_id" in nested) == ("request-0002", False)
    assert "request_id" not in outer
    assert current_request_id() == ""


def test_a_traceback_is_written_without_the_secrets_in_it(lines: Any) -> None:
    try:
        raise ValueError("could not reach redis://:pass-word@host:6379/0")
    except ValueError:
        structlog.get_logger("ours").exception("broken")

    (line,) = lines()
    assert "Traceback" in line["exception"]
    assert "pass-word" not in line["exception"]


def test_text_for_a_terminal_is_redacted_too(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        configure({"level": "INFO", "format": "console"})
        structlog.get_logger("terminal").info("hello", password="hunter2", n=1)
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)

    written = capsys.readouterr().err
    assert "hello" in written
    assert "hunter2" not in written
