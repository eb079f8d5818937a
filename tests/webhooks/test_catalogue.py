"""The catalogue says of every public type what is sent, and what is sent keeps to it."""

from __future__ import annotations

from typing import Any

import jsonschema
import orjson
import pytest

from core.accounts.models import Role
from core.events.registry import EventType, event_types, public_event_types
from core.events.schemas import schema_of_data
from tests import make
from webhooks.models import Delivery
from webhooks.queries import catalogue

ADDRESS = "/api/v1/webhooks/event-types/"
PUBLIC = [kind for kind in public_event_types() if not kind.name.startswith("tests.")]
FORMATS = jsonschema.Draft202012Validator.FORMAT_CHECKER


def check(kind: EventType, payload: Any) -> None:
    jsonschema.validate(
        payload,
        catalogue.schema_of(kind),
        cls=jsonschema.Draft202012Validator,
        format_checker=FORMATS,
    )


@pytest.mark.django_db
def test_every_member_reads_the_catalogue() -> None:
    answer = make.client(make.actor(role=Role.VIEWER)).get(ADDRESS)

    assert answer.status_code == 200
    shown = {kind["name"]: kind for kind in answer.json()}
    assert set(shown) == {kind.name for kind in public_event_types()}
    assert {"endpoint.test", "endpoint.disabled", "delivery.exhausted"} < set(shown)
    for kind in shown.values():
        assert set(kind) == {"name", "version", "description", "schema", "example"}
        jsonschema.Draft202012Validator.check_schema(kind["schema"])
        jsonschema.validate(kind["example"], kind["schema"])
    assert make.client(None).get(ADDRESS).status_code == 401


@pytest.mark.parametrize("kind", PUBLIC, ids=lambda kind: kind.name)
def test_examples_keep_to_their_schema_and_nothing_else_does(kind: EventType) -> None:
    example = catalogue.example_of(kind)
    check(kind, example)
    for field, value in kind.example.items():
        without = {name: held for name, held in kind.example.items() if name != field}
        wrong = {**kind.example, field: [value]}
        for data in (without, wrong):
            with pytest.raises(jsonschema.ValidationError):
                check(kind, {**example, "data": data})
            with pytest.raises(TypeError):
                kind.check_data(data)
    for broken in ({"type": "other.type"}, {"timestamp": 1}, {"data": None}):
        with pytest.raises(jsonschema.ValidationError):
            check(kind, {**example, **broken})


@pytest.mark.django_db
def test_body_matches_the_schema_of_its_type() -> None:
    row = make.delivery(endpoint=make.endpoint())
    (kind,) = [kind for kind in public_event_types() if kind.name == row.event_type]
    check(kind, orjson.loads(Delivery.objects.get().body))


def test_a_schema_can_be_made_of_every_type_and_says_what_may_be_null() -> None:
    for kind in event_types():
        assert schema_of_data(kind)["required"] == list(kind.example)
    (exhausted,) = [kind for kind in event_types() if kind.name == "delivery.exhausted"]
    fields = schema_of_data(exhausted)["properties"]
    assert fields["status_code"] == {"type": ["integer", "null"]}


@pytest.mark.parametrize(
    ("patterns", "unknown"),
    [
        (["*"], []),
        (["export.*", "meeting.created"], []),
        (["export.printed", "paper.*", "export"], ["export.printed", "paper.*", "export"]),
        (["*.created", "", "exp*"], ["*.created", "", "exp*"]),
    ],
)
def test_patterns_fit_something_or_are_unknown(patterns: list[str], unknown: list[str]) -> None:
    assert catalogue.unmatched_patterns(patterns) == unknown
