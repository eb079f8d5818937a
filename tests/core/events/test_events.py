"""Facts and those who listen."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TypedDict

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from core.db.clock import database_now
from core.events import registry, services
from core.events.models import Event
from core.events.registry import EventType, declare, subscribe, subscribe_to_public_together
from tests import make

pytestmark = pytest.mark.django_db


class Noted(TypedDict):
    word: str


NOTED = declare("tests.noted", data=Noted, example={"word": "x"}, description="Only in tests.")
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
    Event.objects.update(next_try_at=database_now())
    assert services.fan_out() == 1
    assert heard == ["first break", "second break", "second break"]


@pytest.fixture
def together() -> Iterator[list[list[str]]]:
    """What a listener to many events heard; it breaks at the word "poison"."""
    told: list[list[str]] = []

    @subscribe_to_public_together
    def many(events: Sequence[Event]) -> None:
        told.append([event.data["word"] for event in events if event.type == "tests.noted"])
        Event.objects.create(type="undone", organization_id=events[0].organization_id, data={})
        if "poison" in told[-1]:
            raise ZeroDivisionError

    yield told
    registry._subscribers[registry.PUBLIC].pop()


def test_who_takes_many_events_hears_them_at_once_and_the_others_each_alone(
    together: list[list[str]],
) -> None:
    for word in "abc":
        publish(word)
    assert services.fan_out() == 3
    assert services.fan_out() == 1  # the one that was written at every call
    assert together[0] == ["a", "b", "c"]
    assert heard == [f"{who} {word}" for word in "abc" for who in ("first", "second")]
    assert not Event.objects.filter(fanned_out_at=None).exists()


def test_one_event_that_breaks_a_batch_waits_alone(together: list[list[str]]) -> None:
    events = [publish(word) for word in ("a", "poison", "b")]
    services.fan_out()
    assert together == [["a", "poison", "b"], ["a"], ["poison"], ["b"]]
    assert Event.objects.filter(type="undone").count() == 2
    waiting = [Event.objects.get(id=one.id).fanned_out_at is None for one in events]
    assert waiting == [False, True, False]
    assert heard.count("first poison") == 1


def test_a_batch_without_failures_costs_the_same_statements_however_many_events() -> None:
    kind = declare_once("tests.unheard")
    counts = []
    for many in (2, 20):
        for _ in range(many):
            publish("x", kind)
        with CaptureQueriesContext(connection) as captured:
            assert services.fan_out() == many
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 8


def test_telling_ends_once_its_time_is_over() -> None:
    for word in "abc":
        publish(word)
    assert services.fan_out(until=time.monotonic() - 1) == 1
    assert heard == ["first a", "second a"]
    assert services.fan_out() == 2


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
            declare(name, data=Noted, example={"word": "x"}, description="")


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
        return declare(name, data=Noted, example={"word": "x"}, description="Only in tests.")
