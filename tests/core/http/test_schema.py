"""The OpenAPI description of what the kit does."""

from __future__ import annotations

from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator


@pytest.fixture(scope="module")
def schema() -> Any:
    generator: Any = SchemaGenerator
    return generator(patterns=_patterns()).get_schema(request=None, public=True)


def _patterns() -> Any:
    from django.urls import include, path

    return [path("api/", include("core.api.urls"))]


def test_a_refusal_is_described_once_as_a_problem(schema: Any) -> None:
    answers = schema["paths"]["/api/v1/teams/"]["post"]["responses"]

    assert set(answers) == {"201", "400", "401", "403", "404", "409", "413", "415", "422", "503"}
    assert answers["409"]["content"]["application/problem+json"]["schema"] == {
        "$ref": "#/components/schemas/Problem"
    }
    assert "code" in schema["components"]["schemas"]["Problem"]["required"]


def test_a_post_that_creates_takes_an_idempotency_key(schema: Any) -> None:
    paths = schema["paths"]

    def headers(path: str, method: str) -> set[str]:
        found = paths[path][method].get("parameters", [])
        return {p["name"] for p in found if p["in"] == "header"}

    assert headers("/api/v1/teams/", "post") == {"Idempotency-Key", "X-Organization"}
    assert headers("/api/v1/teams/", "get") == {"X-Organization"}
    assert headers("/api/health/live", "get") == set()


def test_both_ways_to_sign_in_are_described(schema: Any) -> None:
    schemes = schema["components"]["securitySchemes"]

    assert schemes["apiKey"]["scheme"] == "bearer"
    assert schemes["session"]["in"] == "cookie"
    assert schema["paths"]["/api/v1/me/"]["get"]["security"] == [{"apiKey": []}, {"session": []}]


def test_a_list_is_described_as_a_page(schema: Any) -> None:
    get = schema["paths"]["/api/v1/teams/"]["get"]

    assert {"cursor", "page_size"} <= {p["name"] for p in get["parameters"]}
    page = get["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[
        2
    ]
    assert set(schema["components"]["schemas"][page]["properties"]) == {
        "results",
        "next",
        "previous",
    }


def test_there_is_no_put(schema: Any) -> None:
    assert not [path for path, item in schema["paths"].items() if "put" in item]
