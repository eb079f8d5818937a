"""A filter that is not understood is refused: the whole list would look as if it matched."""

from __future__ import annotations

import pytest

from tests import make

pytestmark = pytest.mark.django_db

LISTS = ("meetings", "jobs", "action-items", "notifications", "teams")


@pytest.mark.parametrize("name", LISTS)
def test_a_filter_that_the_list_does_not_have_is_refused_by_name(name: str) -> None:
    answer = make.client(make.actor()).get(f"/api/v1/{name}/", {"colour": "blue"})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert "colour" in str(answer.json())


@pytest.mark.parametrize(
    ("url", "name"), [("action-items", "completed"), ("notifications", "unread")]
)
def test_what_is_neither_true_nor_false_is_refused(url: str, name: str) -> None:
    client = make.client(make.actor())
    for value in ("maybe", "yes", "2"):
        answer = client.get(f"/api/v1/{url}/", {name: value})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid"), value
    for value in ("true", "false", "True", "1", "0"):
        assert client.get(f"/api/v1/{url}/", {name: value}).status_code == 200, value


def test_empty_filter_is_refused_instead_of_answering_everything() -> None:
    answer = make.client(make.actor()).get("/api/v1/meetings/?status=")
    assert answer.json()["fields"] == {"status": ["Give a value, or leave this parameter out."]}


def test_pages_are_asked_for_beside_filters() -> None:
    answer = make.client(make.actor()).get(
        "/api/v1/meetings/", {"page_size": "5", "status": "held"}
    )
    assert answer.status_code == 200
