"""Every refusal is one body: application/problem+json."""

from __future__ import annotations

import logging

import pytest
from django.test import Client
from rest_framework.test import APIClient

from core import errors
from core.http.errors import all_codes, problem, status_of
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.http.urls")]


def test_a_refusal_tells_status_code_sentence_and_request_id() -> None:
    answer = APIClient().get("/api/raise/conflict", headers={"X-Request-ID": "request-0001"})

    assert answer.status_code == 409
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json() == {
        "type": "/api/problems/conflict",
        "title": "Conflict",
        "status": 409,
        "detail": "The current state does not permit this.",
        "code": "conflict",
        "request_id": "request-0001",
    }


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [
        ("quota", 402, "quota_exceeded"),
        ("busy", 503, "too_busy"),
        ("throttled", 429, "throttled"),
        ("http404", 404, "not_found"),
        ("missing", 404, "not_found"),
        ("denied", 403, "not_allowed"),
        ("suspicious", 400, "bad_request"),
        ("django", 400, "invalid"),
    ],
)
def test_a_meaning_becomes_its_status(what: str, status: int, code: str) -> None:
    answer = APIClient().get(f"/api/raise/{what}")

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_wait_is_told_in_whole_seconds_in_the_header() -> None:
    answer = APIClient().get("/api/raise/busy")

    assert answer.headers["Retry-After"] == "3"
    assert answer.json()["retry_after"] == 2.2


def test_a_refusal_without_a_wait_has_no_such_header() -> None:
    assert "Retry-After" not in APIClient().get("/api/raise/conflict").headers


def test_fields_are_named_with_dots_down_to_the_item() -> None:
    body = {"title": "too long a title", "items": [{"name": "ok"}, {"name": "", "colour": 1}]}

    answer = APIClient().post("/api/order", body)

    assert answer.status_code == 400
    fields = answer.json()["fields"]
    assert set(fields) == {"title", "items.1.name", "items.1.colour"}
    assert fields["items.1.colour"] == ["There is no such field."]


def test_what_concerns_no_single_field_is_the_sentence() -> None:
    problem_body = APIClient().post("/api/order", {"title": "never", "items": []}).json()

    assert problem_body["detail"] == "Never is not a title."
    assert "fields" not in problem_body


def test_unknown_fields_are_refused_by_name() -> None:
    answer = APIClient().post("/api/order", {"title": "a", "items": [], "x": 1, "y": 2})

    assert set(answer.json()["fields"]) == {"x", "y"}


def test_unknown_missing_and_invalid_fields_are_named_in_one_answer() -> None:
    answer = APIClient().post("/api/order", {"titel": "a", "items": [{"nam": 1}, {"name": ""}]})

    named = {"titel", "title", "items.0.nam", "items.0.name", "items.1.name"}
    assert set(answer.json()["fields"]) == named
    assert answer.json()["fields"]["titel"] == ["There is no such field. Did you mean title?"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("PUT", "/api/echo", 405, "method_not_allowed"),
        ("GET", "/api/nothing/here", 404, "not_found"),
        ("GET", "/api/v1/teams/nonsense/", 404, "not_found"),
        ("GET", "/api/v1/teams/%00/", 404, "not_found"),
        ("PUT", "/api/v1/me/", 405, "method_not_allowed"),
    ],
)
def test_an_address_or_method_that_is_not_there(
    method: str, path: str, status: int, code: str
) -> None:
    answer = make.client(make.actor()).generic(method, path)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("sent", "given"),
    [
        ("application/x-www-form-urlencoded", "not application/x-www-form-urlencoded"),
        ("", "and the request names no Content-Type"),
    ],
)
def test_wrong_media_type_is_answered_with_the_right_one(sent: str, given: str) -> None:
    answer = APIClient().generic("POST", "/api/echo", "a=1", content_type=sent)

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert answer.json()["detail"] == f"This address reads application/json, {given}."


def test_wrong_method_is_answered_with_the_right_ones() -> None:
    answer = APIClient().put("/api/echo", {})

    assert answer.json()["detail"] == "This address answers POST, OPTIONS, not PUT."


def test_accept_and_format_do_not_choose_another_form() -> None:
    answer = APIClient().get("/api/raise/quota?format=pdf", headers={"Accept": "text/html"})

    assert answer.status_code == 402


@pytest.mark.parametrize("path", ["/api/raise/mistake", "/api/plain"])
def test_a_mistake_of_ours_is_a_500_without_its_story(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = Client(raise_request_exception=False)

    with caplog.at_level(logging.ERROR, logger="django.request"):
        answer = client.get(path)

    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert b"Zero" not in answer.content
    assert any(record.exc_info for record in caplog.records)


def test_pages_outside_the_api_keep_djangos_answer() -> None:
    answer = Client(raise_request_exception=False).get("/page")

    assert answer.status_code == 500
    assert answer.headers["Content-Type"].startswith("text/html")


def test_a_database_that_takes_too_long_is_a_503_that_says_when_to_return() -> None:
    answer = APIClient().get("/api/ask/slow")

    assert (answer.status_code, answer.json()["code"]) == (503, "database_away")
    assert answer.headers["Retry-After"] == "5"


def test_a_value_that_postgresql_cannot_hold_is_a_400() -> None:
    answer = APIClient().get("/api/ask/out_of_range")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_a_nul_in_a_query_is_refused() -> None:
    answer = make.client(make.actor()).get("/api/v1/teams/?name=%00")

    assert (answer.status_code, answer.json()["code"]) == (400, "text.invalid_character")


def test_every_code_is_explained_where_its_type_points() -> None:
    type_of = problem(errors.QuotaExceeded())
    assert type_of.status_code == 402

    answer = APIClient().get("/api/problems/quota_exceeded")

    assert answer.json() == {
        "code": "quota_exceeded",
        "status": 402,
        "message": "The allowance of your plan is used up.",
    }
    listed = {item["code"] for item in APIClient().get("/api/problems/").json()}
    assert listed == set(all_codes())


def test_an_unknown_code_is_explained_nowhere() -> None:
    assert APIClient().get("/api/problems/nonsense").status_code == 404


def test_a_refinement_keeps_the_status_of_its_meaning() -> None:
    class Rare(errors.Conflict):
        pass

    assert status_of(Rare) == 409
