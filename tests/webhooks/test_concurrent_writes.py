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
from tests.webhooks.sending import SUCCESS, create_waiting_deliveries, outcome, send
from webhooks.delivery.http_requests import RequestLoop
from webhooks.delivery.retry_policy import RetryDecision
from webhooks.models import Delivery, DeliveryAttempt
from webhooks.services import claiming, endpoints, outcomes
from webhooks.services.outcomes import EndpointUpdate
from webhooks.services.senders import Sender

pytestmark = pytest.mark.django_db(transaction=True)

FAILED = RetryDecision("queued", "status", 60.0)


@contextmanager
def held(statement: str, row_id: UUID) -> Iterator[None]:
    """Somebody else's transaction that has locked some rows, open for the time of the block."""
    locked, over = threading.Event(), threading.Event()

    def lock_rows() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement, [row_id])
                locked.set()
                over.wait(60)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(lock_rows)
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


def test_locked_endpoint_delays_no_outcome_of_others() -> None:
    locked, other = make.endpoint(), make.endpoint()
    for endpoint in (locked, other):
        create_waiting_deliveries(endpoint, 3)
    taken = claiming.claim(free=6)
    ended = [outcome(one, FAILED) for one in taken]
    of_locked = tuple(one for one in ended if one.endpoint_id == locked.id)

    with held(ENDPOINT, locked.id):
        written = outcomes.record_outcomes(ended)
        assert (written.recorded, written.deferred) == (3, of_locked)
        silent = [replace(one, endpoint_update=EndpointUpdate.NONE) for one in of_locked[:1]]
        hurried = [replace(one, may_wait=False) for one in of_locked[1:2]]
        assert outcomes.record_outcomes([*silent, *hurried, of_locked[2]]).deferred == of_locked[2:]
    assert outcomes.record_outcomes(of_locked[2:]).recorded == 1
    locked.refresh_from_db()
    assert locked.failures_in_a_row == 1, "it heard of the one that waited"


@pytest.mark.parametrize(
    "decision", [RetryDecision("failed", "gone"), FAILED], ids=["410", "hopeless"]
)
def test_an_endpoint_deleted_while_it_is_sent_to_keeps_no_outcome_of_others(
    decision: RetryDecision,
) -> None:
    days_ago = database_now(plus_seconds=-10 * 86_400)
    deleted = make.endpoint(failures_in_a_row=20, failing_since=days_ago, last_success_at=days_ago)
    for endpoint in (deleted, make.endpoint()):
        create_waiting_deliveries(endpoint, 1)
    taken = claiming.claim(free=2)
    endpoints.delete_endpoint(endpoint=deleted)

    ended = [outcome(one, decision if one.endpoint_id == deleted.id else SUCCESS) for one in taken]
    assert outcomes.record_outcomes(ended).recorded == 2
    assert not Event.objects.filter(type="endpoint.disabled").exists()


def test_outcome_of_a_locked_delivery_is_deferred() -> None:
    create_waiting_deliveries(make.endpoint(), 2)
    first, second = (outcome(one) for one in claiming.claim(free=2))
    with held(DELIVERY, first.delivery_id):
        assert outcomes.record_outcomes([first, second]).deferred == (first,)
    assert outcomes.record_outcomes([first]).recorded == 1


def test_locked_endpoint_loses_or_repeats_no_delivery(settings: Settings) -> None:
    settings.WEBHOOK_DEADLINE_SECONDS = 1.0
    settings.WEBHOOK_SENDER_IDLE_SECONDS = 0.3
    with receiver() as customer, receiver(Reply(500)) as failing:
        healthy = make.endpoint(url=customer.url)
        locked = make.endpoint(url=failing.url)
        for endpoint in (healthy, locked):
            create_waiting_deliveries(endpoint, 20)
        with held(ENDPOINT, locked.id):
            send()
        assert not Delivery.objects.filter(status="running").exists()

    assert Counter(customer.ids).most_common(1)[0][1] == 1
    assert len(customer.received) == 20
    assert not DeliveryAttempt.objects.filter(error_kind="sender_lost").exists()
    assert Delivery.objects.filter(endpoint=healthy, status="succeeded").count() == 20


def test_locked_rate_limited_endpoint_does_not_block_claims() -> None:
    limited = make.endpoint(rate_limit_per_second=5)
    other = make.endpoint()
    for endpoint in (limited, other):
        create_waiting_deliveries(endpoint, 2)
    with held(ENDPOINT, limited.id):
        assert {one.endpoint_id for one in claiming.claim(free=8)} == {other.id}
    assert {one.endpoint_id for one in claiming.claim(free=8)} == {limited.id}


def test_an_outcome_that_the_database_refuses_keeps_no_other_from_being_written() -> None:
    create_waiting_deliveries(make.endpoint(), 3)
    first, bad, last = (outcome(one, FAILED) for one in claiming.claim(free=3))
    written = outcomes.record_outcomes([first, replace(bad, duration_ms=2**40), last])
    assert (written.recorded, written.deferred) == (2, ())
    assert DeliveryAttempt.objects.count() == 2


def test_claimed_but_unsent_delivery_is_released_without_an_attempt() -> None:
    create_waiting_deliveries(make.endpoint(last_success_at=database_now()), 5)
    rename("webhooks_endpointsecret", "webhooks_away")
    with RequestLoop(deadline_seconds=1.0) as exchanges:
        sender = Sender(exchanges)
        try:
            with pytest.raises(DatabaseError):
                sender._claim()
        finally:
            rename("webhooks_away", "webhooks_endpointsecret")
        assert Delivery.objects.filter(status="running").count() == 5
        sender.finish()

    assert Delivery.objects.filter(status="queued", attempt_count=0, lease_until=None).count() == 5
    assert not DeliveryAttempt.objects.exists()
    assert len(claiming.claim(free=8)) == 5


def rename(table: str, name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {name}")
