"""A request to a wrong address, host or parameter is answered with the right one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings
from rest_framework.schemas.generators import EndpointEnumerator

from core.http.views import ApiView
from tests import make

DESCRIPTION = Path(__file__).parents[3] / "config/openapi.json"
UUID = "0199aaaa-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("/api/v1/meeting/", "Did you mean /api/v1/meetings/?"),
        ("/api/v1/meetings", "Did you mean /api/v1/meetings/?"),
        ("/api/meetings/", "Did you mean /api/v1/meetings/?"),
        (f"/api/v1/meetings/{UUID}/transcripts/", "/api/v1/meetings/{id}/transcript/?"),
        (f"/api/v1/meetings/{UUID}", "Did you mean /api/v1/meetings/{id}/?"),
        ("/api/weather/", "/api/docs/ shows those that there are."),
        (f"/api/{'x/' * 5000}", "/api/docs/ shows those that there are."),
    ],
)
def test_wrong_address_is_answered_with_the_nearest(client: Client, path: str, hint: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer.json()["detail"].endswith(hint)


@pytest.mark.django_db
@pytest.mark.parametrize("body", ["[]", '"text"', "7"])
def test_json_that_is_no_object_is_refused_in_terms_of_json(body: str) -> None:
    client = make.client(make.actor())

    answer = client.post("/api/v1/meetings/", body, content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert "JSON object" in json.dumps(answer.json())


@pytest.mark.parametrize("path", ["/api/v1/me/", "/admin/login/"])
def test_wrong_host_is_answered_with_the_public_address_and_the_setting(
    client: Client, settings: Settings, path: str
) -> None:
    settings.ALLOWED_HOSTS = ["notes.example.org"]
    settings.PUBLIC_URL = "https://notes.example.org"

    answer = client.get(path, headers={"Host": "other.example.org"})

    text = answer.json()["detail"] if path.startswith("/api/") else answer.content.decode()
    assert answer.status_code == 400
    assert text == (
        "This server does not answer for the host 'other.example.org'."
        " Ask for https://notes.example.org, or add the host to the setting ALLOWED_HOSTS."
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "known"),
    [
        ("GET", "/api/v1/meetings/{meeting}/", "This address has none."),
        ("PATCH", "/api/v1/meetings/{meeting}/", "This address has none."),
        ("POST", "/api/v1/meetings/", "This address has none."),
        ("GET", "/api/v1/me/", "This address has none."),
        ("HEAD", "/api/v1/me/", None),
        ("GET", "/api/v1/meetings/{meeting}/analysis/", "This address has: recording."),
    ],
)
def test_unknown_parameters_are_all_refused_with_those_that_there_are(
    method: str, path: str, known: str | None
) -> None:
    who = make.actor()
    address = path.format(meeting=make.meeting(organization=who.organization).id)

    answer = make.client(who).generic(method, f"{address}?page=2&x=", "{}")

    assert answer.status_code == 400
    if known is not None:
        message = f"There is no such parameter. {known}"
        assert answer.json()["fields"] == {"page": [message], "x": [message]}


def test_description_names_exactly_the_parameters_that_are_read() -> None:
    """Those of lists are their filters, which they check themselves."""
    description = json.loads(DESCRIPTION.read_text())
    endpoints: Any = EndpointEnumerator().get_api_endpoints()
    for path, method, view in endpoints:
        operation = description["paths"].get(path.replace("{pk}", "{id}"), {}).get(method.lower())
        name = getattr(view, "actions", {}).get(method.lower(), method.lower())
        if operation is None or not issubclass(view.cls, ApiView) or name == "list":
            continue
        shown = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}
        read = set((view.cls.query_parameters or {}).get(name, ()))
        assert shown == read or (method != "GET" and shown <= read), (method, path)
