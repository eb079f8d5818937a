"""Whoever else holds a row for long keeps no sender waiting, and nothing is sent twice for it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction
from pytest_django.fixtures import Settings

from core.db.clock import database_now
from core.events.models import Event
from tests import make
from tests.webhooks.receivers import Reply, receiver
from tests.webhooks.sending import SUCCESS, outcome, owe_many, send
from webhooks.delivery.http_requests import Exchanges
from webhooks.delivery.retry_policy import Verdict
from webhooks.models import Delivery, DeliveryAttempt
from webhooks.services import claiming, endpoints, outcomes
from webhooks.services.outcomes import News
from webhooks.services.senders import Sender

pytestmark = pytest.mark.django_db(transaction=True)

FAILED = Verdict("queued", "status", 60.0)


@contextmanager
def held(statement: str, row_id: UUID) -> Iterator[None]:
    """Somebody else's transaction that has locked some rows, open for the time of the block."""
    locked, over = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement, [row_id])
                locked.set()
                over.wait(60)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold)
        try:
            assert locked.wait(30)
            yield
        finally:
            over.set()
            holding.result(timeout=30)


@pytest.fixture(autouse=True)
def _nobody_waits() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '3s'")
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = 0")


ENDPOINT = "SELECT 1 FROM webhooks_endpoint WHERE id = %s FOR UPDATE"
DELIVERY = "SELECT 1 FROM webhooks_delivery WHERE id = %s FOR UPDATE"


def test_an_endpoint_that_somebody_holds_keeps_no_outcome_of_others_waiting() -> None:
    locked, other = make.endpoint(), make.endpoint()
    for endpoint in (locked, other):
        owe_many(endpoint, 3)
    taken = claiming.take(free=6)
    ended = [outcome(one, FAILED) for one in taken]
    of_locked = tuple(one for one in ended if one.endpoint_id == locked.id)

    with held(ENDPOINT, locked.id):
        written = outcomes.write(ended)
        assert (written.ours, written.left) == (3, of_locked)
        silent = [replace(one, news=News.NONE) for one in of_locked[:1]]
        hurried = [replace(one, may_wait=False) for one in of_locked[1:2]]
        assert outcomes.write([*silent, *hurried, of_locked[2]]).left == of_locked[2:]
    assert outcomes.write(of_locked[2:]).ours == 1
    locked.refresh_from_db()
    assert locked.failures_in_a_row == 1, "it heard of the one that waited"


@pytest.mark.parametrize("verdict", [Verdict("failed", "gone"), FAILED], ids=["410", "hopeless"])
def test_an_endpoint_deleted_while_it_is_sent_to_keeps_no_outcome_of_others(
    verdict: Verdict,
) -> None:
    days_ago = database_now(plus_seconds=-10 * 86_400)
    deleted = make.endpoint(failures_in_a_row=20, failing_since=days_ago, last_success_at=days_ago)
    for endpoint in (deleted, make.endpoint()):
        owe_many(endpoint, 1)
    taken = claiming.take(free=2)
    endpoints.delete_endpoint(endpoint=deleted)

    ended = [outcome(one, verdict if one.endpoint_id == deleted.id else SUCCESS) for one in taken]
    assert outcomes.write(ended).ours == 2
    assert not Event.objects.filter(type="endpoint.disabled").exists()


def test_a_delivery_that_somebody_holds_is_written_later() -> None:
    owe_many(make.endpoint(), 2)
    first, second = (outcome(one) for one in claiming.take(free=2))
    with held(DELIVERY, first.delivery_id):
        assert outcomes.write([first, second]).left == (first,)
    assert outcomes.write([first]).ours == 1


def test_a_held_endpoint_makes_nobody_s_delivery_lost_or_sent_twice(settings: Settings) -> None:
    settings.WEBHOOK_DEADLINE_SECONDS = 1.0
    settings.WEBHOOK_SENDER_IDLE_SECONDS = 0.3
    with receiver() as customer, receiver(Reply(500)) as failing:
        healthy = make.endpoint(url=customer.url)
        locked = make.endpoint(url=failing.url)
        for endpoint in (healthy, locked):
            owe_many(endpoint, 20)
        with held(ENDPOINT, locked.id):
            send()
        assert not Delivery.objects.filter(status="running").exists()

    assert Counter(customer.ids).most_common(1)[0][1] == 1
    assert len(customer.received) == 20
    assert not DeliveryAttempt.objects.filter(error_kind="sender_lost").exists()
    assert Delivery.objects.filter(endpoint=healthy, status="succeeded").count() == 20


def test_who_holds_an_endpoint_with_a_rate_limit_keeps_no_sender_from_taking() -> None:
    limited = make.endpoint(rate_limit_per_second=5)
    other = make.endpoint()
    for endpoint in (limited, other):
        owe_many(endpoint, 2)
    with held(ENDPOINT, limited.id):
        assert {one.endpoint_id for one in claiming.take(free=8)} == {other.id}
    assert {one.endpoint_id for one in claiming.take(free=8)} == {limited.id}


def test_an_outcome_that_the_database_refuses_keeps_no_other_from_being_written() -> None:
    owe_many(make.endpoint(), 3)
    first, bad, last = (outcome(one, FAILED) for one in claiming.take(free=3))
    written = outcomes.write([first, replace(bad, duration_ms=2**40), last])
    assert (written.ours, written.left) == (2, ())
    assert DeliveryAttempt.objects.count() == 2


def test_what_was_taken_and_never_sent_waits_on_without_an_attempt() -> None:
    owe_many(make.endpoint(last_success_at=database_now()), 5)
    rename("webhooks_endpointsecret", "webhooks_away")
    with Exchanges(deadline_seconds=1.0) as exchanges:
        sender = Sender(exchanges)
        try:
            with pytest.raises(DatabaseError):
                sender._take()
        finally:
            rename("webhooks_away", "webhooks_endpointsecret")
        assert Delivery.objects.filter(status="running").count() == 5
        sender.finish_begun()

    assert Delivery.objects.filter(status="queued", attempt_count=0, lease_until=None).count() == 5
    assert not DeliveryAttempt.objects.exists()
    assert len(claiming.take(free=8)) == 5


def rename(table: str, name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {name}")
