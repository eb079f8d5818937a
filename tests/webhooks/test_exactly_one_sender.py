"""A delivery has one sender at a time, whatever happens to the sender."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import pytest
from django.db import connection, transaction

from core.db.clock import database_now
from core.jobs import worker
from core.jobs.models import Job
from tests import make
from tests.webhooks.receivers import receiver
from tests.webhooks.sending import create_waiting_deliveries, outcome, send
from webhooks.models import Delivery, DeliveryAttempt, DeliveryStatus
from webhooks.services import claiming, outcomes, sender_jobs
from webhooks.services.claiming import ClaimedDelivery
from webhooks.services.outcomes import WriteResult

SENDERS = 2
DELIVERIES = 40


@pytest.mark.django_db(transaction=True)
def test_two_senders_at_the_same_instant_send_each_delivery_once() -> None:
    with receiver() as customer:
        endpoints = [make.endpoint(url=customer.url) for _ in range(4)]
        owed = [make.delivery(endpoint=endpoints[n % 4]) for n in range(DELIVERIES)]
        at_once(SENDERS, perform_sender)

    assert Counter(customer.ids) == Counter(str(one.event_id) for one in owed)
    assert DeliveryAttempt.objects.count() == DELIVERIES
    status = set(Delivery.objects.values_list("status", flat=True))
    assert status == {DeliveryStatus.SUCCEEDED}


@pytest.mark.django_db(transaction=True)
def test_concurrent_claims_are_disjoint_and_within_the_limits() -> None:
    limited = make.endpoint(rate_limit_per_second=1)
    wide = make.endpoint(last_success_at=database_now())
    for endpoint in (limited, wide):
        create_waiting_deliveries(endpoint, 30)
    found: list[ClaimedDelivery] = []

    def take(_number: int) -> None:
        for _ in range(3):
            found.extend(claiming.claim(free=8))

    at_once(6, take)
    assert len({one.id for one in found}) == len(found) > 0
    assert Counter(one.endpoint_id for one in found)[limited.id] == 1


def at_once(many: int, work: Any) -> None:
    """The work in so many threads that begin together, each with a connection of its own."""
    start = threading.Barrier(many)
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            start.wait()
            work(number)
        except BaseException as error:  # noqa: BLE001 - it belongs into the test's own thread
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def perform_sender(slot: int) -> None:
    with transaction.atomic():
        sender_jobs.request_sender(slot=slot)
    job = Job.objects.get(kind=sender_jobs.KIND, dedup_key=f"sender-{slot}")
    worker.perform(str(job.id))


@pytest.mark.django_db
def test_what_a_vanished_sender_held_is_sent_again_with_the_same_id_and_bytes() -> None:
    with receiver() as customer:
        delivery = make.delivery(endpoint=make.endpoint(url=customer.url))
        (held,) = claiming.claim(free=10)
        assert outcomes.requeue_expired() == 0, "it may still be at work"
        Delivery.objects.update(lease_until=database_now(plus_seconds=-1))
        assert outcomes.requeue_expired() == 1
        send()

    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.SUCCEEDED
    assert [(r.id, r.body) for r in customer.received] == [
        (str(held.event_id), delivery.body.encode())
    ]
    kinds = delivery.attempts.order_by("number").values_list("number", "error_kind")
    assert list(kinds) == [(1, "sender_lost"), (2, "")]


@pytest.mark.django_db
def test_a_sender_that_slept_past_its_time_writes_nothing() -> None:
    delivery = make.delivery(endpoint=make.endpoint())
    (late,) = claiming.claim(free=10)
    Delivery.objects.update(lease_until=database_now(plus_seconds=-1))
    outcomes.requeue_expired()
    (second,) = claiming.claim(free=10)

    assert outcomes.record_outcomes([outcome(late)]) == WriteResult()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.lease_token) == (DeliveryStatus.RUNNING, second.token)
    assert outcomes.record_outcomes([outcome(second)]) == WriteResult(1)
    assert outcomes.record_outcomes([outcome(second)]) == WriteResult(), "once is enough"
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.SUCCEEDED
    assert delivery.attempts.count() == 2


@pytest.mark.django_db
def test_a_delivery_that_ends_every_sender_is_given_up(settings: Any) -> None:
    settings.WEBHOOK_RETRY_SCHEDULE = [1.0]
    delivery = make.delivery(endpoint=make.endpoint())
    for _ in range(2):
        assert len(claiming.claim(free=10)) == 1
        Delivery.objects.update(lease_until=database_now(plus_seconds=-1))
        assert outcomes.requeue_expired() == 1
    delivery.refresh_from_db()
    assert (delivery.status, delivery.last_error_kind) == (DeliveryStatus.DEAD, "sender_lost")
    assert delivery.endpoint.failures_in_a_row == 0, "it is not the receiver's doing"
