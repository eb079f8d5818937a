"""The types of events that the world can hear of, and the shape in which it hears of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from core.events.registry import EventType, public_event_types
from core.events.schemas import schema_of_data
from webhooks.models.endpoint import is_heard

DIALECT = "https://json-schema.org/draft/2020-12/schema"
EXAMPLE_TIME = datetime(2026, 11, 22, 9, 30, 0, 250_000, tzinfo=UTC)


def catalogue() -> list[EventType]:
    """Every type that can be sent, by name."""
    return public_event_types()


def unknown_patterns(patterns: Iterable[str]) -> list[str]:
    """Those that no type of the catalogue fits."""
    names = [kind.name for kind in catalogue()]
    return [one for one in patterns if not any(is_heard(name, (one,)) for name in names)]


def body_of(event_type: str, occurred_at: datetime, data: Mapping[str, Any]) -> str:
    """What is sent, letter by letter the same for the same event: UTF-8, keys in order."""
    payload = {"type": event_type, "timestamp": occurred_at.astimezone(UTC), "data": data}
    return orjson.dumps(payload, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z).decode()


def schema_of(kind: EventType) -> dict[str, Any]:
    """The whole body as a JSON Schema."""
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
    """A whole body, as an object."""
    example: dict[str, Any] = orjson.loads(body_of(kind.name, EXAMPLE_TIME, kind.example))
    return example
