"""The committed promise of the API, walked operation by operation."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from drf_spectacular.generators import SchemaGenerator

PARAMETER = re.compile(r"\{(\w+)\}")
VERBS = ("get", "post", "patch", "put", "delete")


@dataclass(frozen=True, slots=True)
class Operation:
    """One verb on one path, with what it takes; of its parameters those that an id would fit."""

    method: str
    path: str
    path_names: tuple[str, ...]
    query_names: tuple[str, ...]
    body: dict[str, Any] | None

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"

    def address(self, value: str) -> str:
        """The path with `value` for each of its ids."""
        return PARAMETER.sub(value, self.path)


@functools.cache
def operations() -> tuple[Operation, ...]:
    """Every operation of the schema, as it is generated now: once per process."""
    generator: Any = SchemaGenerator
    schema = generator().get_schema(request=None, public=True)
    return tuple(
        _operation(schema, method, path, item)
        for path, verbs in schema["paths"].items()
        for method, item in verbs.items()
        if method in VERBS
    )


def _operation(schema: dict[str, Any], method: str, path: str, item: dict[str, Any]) -> Operation:
    taken = item.get("parameters", [])
    content = item.get("requestBody", {}).get("content", {}).get("application/json", {})
    return Operation(
        method=method,
        path=path,
        path_names=tuple(PARAMETER.findall(path)),
        query_names=tuple(p["name"] for p in taken if p["in"] == "query" and _fits_id(p["schema"])),
        body=resolved(schema, content["schema"]) if content else None,
    )


def _fits_id(field: dict[str, Any]) -> bool:
    """Whether a value of this type may be an id: no number, no date, none of a few words."""
    kind = field.get("items", field)
    return (
        kind.get("type") not in ("integer", "number", "boolean")
        and "enum" not in kind
        and kind.get("format", "uuid") == "uuid"
    )


def resolved(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """The part with its `$ref` followed, also through `allOf` of one."""
    while "$ref" in part or len(part.get("allOf", [])) == 1:
        part = part["allOf"][0] if "allOf" in part else part
        if "$ref" in part:
            part = schema["components"]["schemas"][part["$ref"].rsplit("/", 1)[-1]]
    if "properties" in part:
        fields = {name: resolved(schema, field) for name, field in part["properties"].items()}
        return {**part, "properties": fields}
    return part


def references(body: dict[str, Any]) -> Iterator[str]:
    """The fields of a body that name rows by id, alone or in a list."""
    for name, field in body.get("properties", {}).items():
        if "uuid" in (field.get("format"), field.get("items", {}).get("format")):
            yield name


def example(field: dict[str, Any]) -> Any:
    """Some value of the right shape."""
    if "enum" in field:
        return field["enum"][0]
    simple = {"integer": 1, "number": 1.0, "boolean": True, "array": [], "object": {}}
    formats = {
        "email": "someone@example.org",
        "date-time": "2026-11-22T10:00:00Z",
        "uuid": "01a20120-0000-7000-8000-000000000000",
    }
    if field.get("type") == "string":
        return formats.get(field.get("format", ""), "x")
    return simple.get(field.get("type", ""), "x")
