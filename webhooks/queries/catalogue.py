"""The public event types, their JSON Schemas, and the body of a delivery."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from core.events.registry import EventType, public_event_types
from core.events.schemas import schema_of_data
from webhooks.models.endpoint import matches_any

DIALECT = "https://json-schema.org/draft/2020-12/schema"
EXAMPLE_TIME = datetime(2026, 11, 22, 9, 30, 0, 250_000, tzinfo=UTC)


def catalogue() -> list[EventType]:
    """All public event types, by name."""
    return public_event_types()


def unmatched_patterns(patterns: Iterable[str]) -> list[str]:
    """The patterns that match no public type."""
    names = [kind.name for kind in catalogue()]
    return [one for one in patterns if not any(matches_any(name, (one,)) for name in names)]


def body_of(event_type: str, occurred_at: datetime, data: Mapping[str, Any]) -> str:
    """The body of a delivery, the same bytes for the same event: UTF-8, keys in order."""
    payload = {"type": event_type, "timestamp": occurred_at.astimezone(UTC), "data": data}
    return orjson.dumps(payload, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z).decode()


def schema_of(kind: EventType) -> dict[str, Any]:
    """The JSON Schema of the body of this type."""
    return {
        "$schema": DIALECT,
        "title": kind.name,
        "description": kind.description,
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"const": kind.name},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": schema_of_data(kind),
        },
    }


def example_of(kind: EventType) -> dict[str, Any]:
    """An example of the body of this type."""
    example: dict[str, Any] = orjson.loads(body_of(kind.name, EXAMPLE_TIME, kind.example))
    return example
