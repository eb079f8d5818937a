"""Facts and those who listen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypedDict

import pytest
from django.db import transaction

from core.db.clock import now
from core.events import registry, services
from core.events.models import Event
from core.events.registry import EventType, declare, subscribe
from tests import make

pytestmark = pytest.mark.django_db


class Noted(TypedDict):
    word: str


NOTED = declare("tests.noted", data=Noted, example={"word": "x"}, meaning="Only in tests.")
heard: list[str] = []


@pytest.fixture(autouse=True)
def listeners() -> Iterator[None]:
    """Two listeners, the second of which breaks when it is told to."""
    heard.clear()

    @subscribe("tests.noted")
    def first(event: Event) -> None:
        heard.append(f"first {event.data['word']}")

    @subscribe("tests.noted")
    def second(event: Event) -> None:
        heard.append(f"second {event.data['word']}")
        if event.data["word"] == "break" and event.tries == 0:
            Event.objects.create(type="undone", organization_id=event.organization_id, data={})
            raise ZeroDivisionError

    yield
    registry._subscribers.pop("tests.noted")


def publish(word: str, kind: EventType = NOTED) -> Event:
    return services.publish(kind, organization_id=make.organization().id, data={"word": word})


def test_every_listener_hears_of_an_event_once() -> None:
    event = publish("a")
    assert services.fan_out() == 1
    assert services.fan_out() == 0
    assert heard == ["first a", "second a"]
    event.refresh_from_db()
    assert event.fanned_out_at is not None


def test_a_listener_that_fails_neither_stops_nor_repeats_the_others() -> None:
    event = publish("break")
    services.fan_out()
    event.refresh_from_db()
    assert event.fanned_out_at is None
    assert "ZeroDivisionError" in event.last_error
    assert not Event.objects.filter(type="undone").exists()
    assert services.fan_out() == 0
    Event.objects.update(next_try_at=now())
    assert services.fan_out() == 1
    assert heard == ["first break", "second break", "second break"]


def test_an_event_without_listeners_is_done_at_once() -> None:
    event = publish("x", declare_once("tests.unheard"))
    services.fan_out()
    event.refresh_from_db()
    assert event.fanned_out_at is not None


def test_data_that_the_type_does_not_declare_is_refused() -> None:
    organization = make.organization()
    for data in ({}, {"word": 1}, {"word": "x", "more": 1}):
        with pytest.raises(TypeError):
            services.publish(NOTED, organization_id=organization.id, data=data)


def test_a_name_is_noun_and_verb_and_declared_once() -> None:
    for name in ("noted", "Tests.Noted", "tests.noted"):
        with pytest.raises(ValueError, match=r"declared twice|not of the form"):
            declare(name, data=Noted, example={"word": "x"}, meaning="")


@pytest.mark.django_db(transaction=True)
def test_publishing_outside_a_transaction_is_a_programming_error() -> None:
    organization = make.organization()
    with pytest.raises(RuntimeError, match="inside the transaction"):
        services.publish(NOTED, organization_id=organization.id, data={"word": "x"})


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_fact_never_happened() -> None:
    with transaction.atomic():
        publish("never")
        transaction.set_rollback(True)
    assert services.fan_out() == 0


def declare_once(name: str) -> EventType:
    try:
        return registry.event_type(name)
    except KeyError:
        return declare(name, data=Noted, example={"word": "x"}, meaning="Only in tests.")
