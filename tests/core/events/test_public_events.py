"""Some listen to all that is public, and its shape can be told to others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypedDict

import pytest

from core.events import registry
from core.events.models import Event
from core.events.registry import EventType, declare, subscribe_to_public, subscribers_of
from core.events.schemas import schema_of_data


class Told(TypedDict):
    word: str
    size: float
    count: int | None
    is_new: bool


class Strange(TypedDict):
    words: set[str]


EXAMPLE = {"word": "x", "size": 1.5, "count": None, "is_new": True}


def listener(event: Event) -> None:
    """Is never called here."""


@pytest.fixture
def listening() -> Iterator[None]:
    subscribe_to_public(listener)
    yield
    registry._subscribers[registry.PUBLIC].pop()


@pytest.fixture
def types() -> Iterator[dict[str, EventType]]:
    """Declared after somebody listens, as those of apps that are loaded later."""
    made = {
        name: declare(name, data=Told, example=EXAMPLE, description="Only in tests.", public=public)
        for name, public in (("tests.told", True), ("tests.whispered", False))
    }
    yield made
    for name in made:
        registry._types.pop(name)


def names_of(kind: str) -> set[str]:
    return {one.react.__name__ for one in subscribers_of(kind)}


def test_who_listens_to_all_that_is_public_hears_no_more_than_that(
    listening: None, types: dict[str, EventType]
) -> None:
    assert "listener" in names_of("tests.told")
    assert "listener" not in names_of("tests.whispered")
    assert "listener" not in names_of("tests.nobody_declared_this")
    assert not [one for one in registry.unknown_subscriptions() if one.react is listener]


def test_a_type_is_a_schema_of_exactly_what_publish_insists_on(
    types: dict[str, EventType],
) -> None:
    assert schema_of_data(types["tests.told"]) == {
        "type": "object",
        "required": ["word", "size", "count", "is_new"],
        "properties": {
            "word": {"type": "string"},
            "size": {"type": "number"},
            "count": {"type": ["integer", "null"]},
            "is_new": {"type": "boolean"},
        },
    }


def test_what_json_has_no_word_for_makes_no_schema() -> None:
    kind: Any = EventType("tests.strange", 1, True, Strange, {}, "Only in tests.")  # noqa: FBT003
    with pytest.raises(TypeError, match="cannot carry"):
        schema_of_data(kind)
