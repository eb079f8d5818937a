"""Several people do the same with endpoints at the same moment."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from core import errors
from core.events import services as events
from core.events.models import Event
from tests import make
from tests.processes import wait_until
from tests.run_jobs import run_jobs
from tests.webhooks.sending import create_waiting_deliveries
from tests.webhooks.test_endpoints_api import ADDRESS, create
from webhooks.models import Delivery, DeliveryAttempt, Endpoint, EndpointSecret
from webhooks.queries import endpoints as queries
from webhooks.services import claiming, deliveries, endpoints, retention

pytestmark = pytest.mark.django_db(transaction=True)

LOG = "/api/v1/webhooks/deliveries/"
MANY = 6


def at_once(work: Callable[[], Any]) -> Counter[Any]:
    """What the same work came to in several threads that begin together."""
    start = threading.Barrier(MANY)

    def run() -> Any:
        try:
            start.wait(timeout=30)
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(MANY) as pool:
        return Counter(one.result(timeout=60) for one in [pool.submit(run) for _ in range(MANY)])


def test_there_are_never_more_endpoints_than_allowed(settings: Any) -> None:
    settings.WEBHOOK_ENDPOINTS_PER_ORGANIZATION = 2
    client = make.client(make.actor())

    assert at_once(lambda: create(client).status_code) == {201: 2, 409: MANY - 2}
    assert Endpoint.objects.count() == 2


def test_an_endpoint_never_has_two_current_secrets() -> None:
    who = make.actor()
    held = make.endpoint(organization=who.organization)
    client = make.client(who)

    assert at_once(lambda: client.post(f"{ADDRESS}{held.id}/secret/rotate/").status_code) == {
        200: 4,
        409: MANY - 4,
    }
    assert EndpointSecret.objects.current().count() == 1
    assert EndpointSecret.objects.count() == 5


def test_delivery_is_replayed_once() -> None:
    who = make.actor()
    row = make.delivery(
        endpoint=make.endpoint(organization=who.organization),
        status="dead",
        ended_at="2026-11-22T10:00:00Z",
    )
    client = make.client(who)

    def replay() -> int:
        return int(client.post(f"/api/v1/webhooks/deliveries/{row.id}/replay/").status_code)

    assert at_once(replay) == {202: MANY}, "what waits is asked for again without harm"
    assert [one.id for one in claiming.claim(free=10)] == [row.id]
    assert at_once(replay) == {409: MANY}, "what is being sent is not"


def test_event_fanned_out_by_several_relays_creates_one_delivery() -> None:
    endpoint = make.endpoint()
    event = make.delivery(endpoint=endpoint).event
    Delivery.objects.all().delete()

    def owe() -> int:
        with transaction.atomic():
            return deliveries.create_deliveries(events=[event])

    assert at_once(owe) == {1: MANY}
    assert Delivery.objects.count() == 1


def test_endpoint_deleted_during_a_fan_out_leaves_no_rows() -> None:
    endpoint = make.endpoint()
    for _ in range(3):
        make.delivery(endpoint=endpoint)
    Delivery.objects.all().delete()

    def delete_or_owe() -> None:
        events.fan_out()
        endpoints.delete_endpoint(endpoint=endpoint)

    at_once(delete_or_owe)
    Event.objects.update(next_try_at=None)
    events.fan_out()
    retention.prune()

    assert not Delivery.objects.exists()
    assert not Endpoint.objects.exists()
    assert not Event.objects.filter(fanned_out_at=None).exists()


def test_an_attempt_that_is_written_while_its_endpoint_is_deleted_goes_too() -> None:
    row = make.delivery(endpoint=make.endpoint(), status="running")
    with transaction.atomic():
        Delivery.objects.filter(id=row.id).update(status="succeeded")
        make.attempt(delivery=row)
        apart(lambda: delete(row.endpoint)).result(timeout=30)
        assert Endpoint.objects.deleted().exists(), "it waits for nobody"
    retention.prune()

    assert not Endpoint.objects.exists()
    assert not DeliveryAttempt.objects.exists()


def test_a_fan_out_that_began_before_its_endpoint_was_deleted_leaves_nothing() -> None:
    endpoint = make.endpoint()
    with transaction.atomic():
        assert queries.lock_present([endpoint.id]) == [endpoint.id]
        deleting = apart(lambda: delete(endpoint))
        wait_until(somebody_waits, "the removal waits for the fan-out")
        make.delivery(endpoint=endpoint)
    deleting.result(timeout=30)

    assert not Delivery.objects.exists()
    assert not Endpoint.objects.exists()


def test_a_deleted_endpoint_is_gone_at_once_and_its_rows_a_few_at_a_time() -> None:
    who = make.actor()
    held = make.endpoint(organization=who.organization)
    create_waiting_deliveries(held, retention.BATCH + 100)
    client = make.client(who)
    assert client.get(LOG).json()["results"]

    endpoints.delete_endpoint(endpoint=held)

    assert client.get(f"{ADDRESS}{held.id}/").status_code == 404
    assert client.get(ADDRESS).json()["results"] == client.get(LOG).json()["results"] == []
    assert claiming.claim(free=10) == queries.lock_present([held.id]) == [], (
        "nothing is sent, nothing owed"
    )
    with pytest.raises(errors.NotFound):
        endpoints.enable_endpoint(endpoint=held)
    retention.prune(seconds=0.001)
    assert Delivery.objects.count() == 100
    assert Endpoint.objects.deleted().exists()
    run_jobs()
    assert not Delivery.objects.exists()
    assert not Endpoint.objects.exists()


def delete(endpoint: Endpoint) -> None:
    endpoints.delete_endpoint(endpoint=endpoint)
    retention.prune()


def apart(work: Callable[[], None]) -> Future[None]:
    """The work in a thread of its own, as somebody else."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    with_one = ThreadPoolExecutor(1)
    doing = with_one.submit(run)
    with_one.shutdown(wait=False)
    return doing


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE NOT granted AND datname = current_database())"
        )
        return bool(cursor.fetchone()[0])
