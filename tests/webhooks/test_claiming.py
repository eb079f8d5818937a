"""No receiver stands in another's way, and each gets no more at once than it can take."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from core.db.clock import database_now
from tests import make
from tests.webhooks import log_search
from tests.webhooks.receivers import Received, Reply, raw_receiver, receiver
from tests.webhooks.sending import (
    SUCCESS,
    blocks_of,
    create_waiting_deliveries,
    indexes_of,
    outcome,
    seconds_until,
    send,
)
from webhooks.delivery.retry_policy import RetryDecision
from webhooks.models import Delivery, DeliveryAttempt, DeliveryStatus, Endpoint
from webhooks.services import claiming, endpoints, outcomes
from webhooks.services.outcomes import EndpointUpdate

pytestmark = pytest.mark.django_db


# As PostgreSQL asks before an endpoint goes.
FK_CHECK = """
SELECT 1 FROM ONLY webhooks_delivery AS x WHERE %(endpoint)s = endpoint_id FOR KEY SHARE OF x
"""


def lane(waiting: int, **fields: Any) -> Endpoint:
    """An endpoint that is owed so many deliveries."""
    endpoint = make.endpoint(**fields)
    create_waiting_deliveries(endpoint, waiting)
    return endpoint


def working(waiting: int, **fields: Any) -> Endpoint:
    """One that has answered well a moment ago."""
    return lane(waiting, last_success_at=database_now(), **fields)


def taken(free: int = 256) -> dict[Any, int]:
    """How many deliveries of each endpoint a sender with so much room takes."""
    found: dict[Any, int] = {}
    for one in claiming.claim(free=free):
        found[one.endpoint_id] = found.get(one.endpoint_id, 0) + 1
    return found


def test_lane_is_narrow_until_a_success(settings: Settings) -> None:
    settings.WEBHOOK_LANE_LIMIT = 12
    new, proven, shaky = lane(15), working(15), working(15, failures_in_a_row=1)
    assert taken() == {new.id: 8, proven.id: 12, shaky.id: 8}
    assert taken() == {}, "what is in flight counts"


def test_lane_with_the_fewest_running_comes_first_and_room_is_reserved(settings: Settings) -> None:
    settings.WEBHOOK_IN_FLIGHT = 16
    many, few = working(30), lane(2)
    assert taken(free=16) == {many.id: 10, few.id: 2}, "a quarter is kept for others to begin in"
    other = lane(3)
    assert taken(free=4) == {other.id: 3}


def test_an_organization_with_many_endpoints_leaves_room_for_others(settings: Settings) -> None:
    settings.WEBHOOK_IN_FLIGHT = 64
    organization = make.organization()
    for _ in range(10):
        lane(8, organization=organization)
    few = lane(3)

    first = taken(free=8)
    assert (first[few.id], sum(first.values())) == (3, 8), "organizations take turns"
    assert sum(taken(free=56).values()) == 40, "a quarter is kept for others"
    other = lane(3)
    assert taken(free=16) == {other.id: 3}


def test_disabled_paused_or_not_due_is_not_claimed() -> None:
    lane(1, disabled_at=database_now(), disabled_reason="by_hand")
    lane(1, paused_until=database_now(plus_seconds=60))
    make.delivery(endpoint=make.endpoint(), next_attempt_at=database_now(plus_seconds=60))
    assert taken() == {}
    assert claiming.seconds_waiting() is None
    over = lane(1, paused_until=database_now(plus_seconds=-1))
    assert claiming.seconds_waiting() is not None
    assert taken() == {over.id: 1}


def test_a_rate_limit_is_kept_by_slots_in_time() -> None:
    slow, fast = working(5, rate_limit_per_second=2), working(40, rate_limit_per_second=100)
    assert taken() == {slow.id: 1, fast.id: 11}, "a tenth of a second's worth may go together"
    assert taken().get(slow.id) is None
    slow.refresh_from_db()
    assert slow.next_slot_at is not None
    assert 0 < seconds_until(slow.next_slot_at) <= 0.5
    Endpoint.objects.filter(id=slow.id).update(next_slot_at=database_now(plus_seconds=-60))
    assert taken()[slow.id] == 1, "a pause earns no burst"


def test_a_rate_limit_holds_over_a_whole_drain(settings: Settings) -> None:
    settings.WEBHOOK_SENDER_IDLE_SECONDS = 0.3
    came: list[float] = []

    def note(_request: Received) -> Reply:
        came.append(time.monotonic())
        return Reply()

    with receiver(note) as customer:
        lane(22, url=customer.url, rate_limit_per_second=20)
        begun = time.monotonic()
        send()
    assert len(came) == 22
    assert came[-1] - begun >= (22 - 3) / 20, "a burst at the very beginning, then its limit"


def test_after_failures_in_a_row_one_attempt_asks_whether_it_works_again(
    settings: Settings,
) -> None:
    settings.WEBHOOK_LANE_LIMIT = 5
    with receiver(Reply(500)) as customer:
        endpoint = lane(30, url=customer.url)
        send()
        endpoint.refresh_from_db()
        assert endpoint.failures_in_a_row == 5
        assert endpoint.paused_until is not None
        assert 20 < seconds_until(endpoint.paused_until) <= 30
        assert DeliveryAttempt.objects.count() == 5, "those that wait lose no attempt meanwhile"

        Endpoint.objects.filter(id=endpoint.id).update(paused_until=database_now())
        send()
        assert DeliveryAttempt.objects.count() == 6
        endpoint.refresh_from_db()
        assert endpoint.failures_in_a_row == 6
        assert endpoint.paused_until is not None

        customer.reply = Reply(200)
        Endpoint.objects.filter(id=endpoint.id).update(paused_until=database_now())
        send()
    endpoint.refresh_from_db()
    assert (endpoint.failures_in_a_row, endpoint.failing_since) == (0, None)
    waiting = Delivery.objects.filter(endpoint=endpoint, attempt_count=0)
    assert not waiting.exists(), "all that waited went at once"


def test_failures_between_successes_never_open_the_breaker(settings: Settings) -> None:
    settings.WEBHOOK_LANE_LIMIT = 64
    settings.WEBHOOK_SENDER_IDLE_SECONDS = 0.3
    lock, places = threading.Lock(), itertools.count(1)

    def one_in_ten_fails(_request: Received) -> Reply:
        with lock:
            return Reply(500 if next(places) % 10 == 0 else 200)

    with receiver(one_in_ten_fails) as customer:
        endpoint = working(300, url=customer.url)
        send()

    endpoint.refresh_from_db()
    assert (endpoint.paused_until, len(customer.received)) == (None, 300)
    assert DeliveryAttempt.objects.exclude(error_kind="").count() == 30


def test_a_success_counts_in_its_place_among_failures(settings: Settings) -> None:
    """In one batch, and when it ends after a failure beside which it began."""
    endpoint = working(6)
    taken = [
        outcome(one, RetryDecision("queued", "status", 60.0)) for one in claiming.claim(free=6)
    ]
    stale = replace(taken[4], decision=SUCCESS, endpoint_update=EndpointUpdate.OPTIONAL)
    assert outcomes.record_outcomes([*taken[:4], stale, taken[5]]).recorded == 6
    endpoint.refresh_from_db()
    assert (endpoint.failures_in_a_row, endpoint.paused_until) == (1, None)

    settings.WEBHOOK_SENDER_IDLE_SECONDS = 0.3
    failed = threading.Event()

    def first_fails(_request: Received) -> Reply:
        if not failed.is_set():
            failed.set()
            return Reply(500)
        time.sleep(0.3)
        return Reply(200)

    with receiver(first_fails) as customer:
        other = working(2, url=customer.url)
        send()
    other.refresh_from_db()
    assert (other.failures_in_a_row, other.failing_since) == (0, None)


def test_an_attempt_at_the_old_address_says_nothing_about_the_new_one() -> None:
    endpoint = lane(8, url="http://127.0.0.1:9009/old")
    sent = claiming.claim(free=8)
    endpoints.update_endpoint(endpoint=endpoint, url="http://127.0.0.1:9009/new")
    failed = [outcome(one, RetryDecision("queued", "status", 5.0)) for one in sent[:6]]
    gone = outcome(sent[6], RetryDecision("failed", "gone"))
    assert outcomes.record_outcomes([*failed, gone]).recorded == 7

    endpoint.refresh_from_db()
    assert endpoint.is_enabled
    assert (endpoint.failures_in_a_row, endpoint.paused_until) == (0, None)


def test_a_receiver_that_flaps_gets_everything_in_the_end(settings: Settings) -> None:
    settings.WEBHOOK_RETRY_SCHEDULE = [0.0] * 7
    settings.WEBHOOK_BREAKER_FAILURES = 3
    settings.WEBHOOK_BREAKER_SECONDS = 0.05
    settings.WEBHOOK_SENDER_IDLE_SECONDS = 0.3
    with receiver() as customer:
        customer.then = [Reply(500 if number % 3 else 200) for number in range(24)]
        endpoint = lane(12, url=customer.url)
        send()
    owed = Delivery.objects.filter(endpoint=endpoint)
    assert set(owed.values_list("status", flat=True)) == {DeliveryStatus.SUCCEEDED}


def test_silent_receiver_does_not_delay_others(settings: Settings) -> None:
    settings.WEBHOOK_DEADLINE_SECONDS = 1.0
    hang_up = threading.Event()

    def never_answer(connection: socket.socket) -> None:
        connection.recv(1)
        hang_up.wait(30)

    with raw_receiver(never_answer) as silent, receiver() as customer:
        dead = lane(20, url=silent)
        healthy = [lane(5, url=customer.url) for _ in range(3)]
        send()
        hang_up.set()

    first_failure = DeliveryAttempt.objects.filter(error_kind="timeout").order_by("created_at")[0]
    owed = Delivery.objects.filter(endpoint__in=healthy)
    assert len(customer.received) == 15
    assert all(one.ended_at < first_failure.created_at for one in owed)
    waiting = Delivery.objects.filter(endpoint=dead, attempt_count=0)
    assert waiting.count() == 12, "one width of its lane was tried, then it was left alone"


def test_waiting_lanes_and_owners_of_deliveries_are_found_by_the_index_of_each() -> None:
    """Those that ended are many, and all that ever ended is what a wrong index would read."""
    log_search.fill(make.organization(), deliveries=6_000)
    assert indexes_of(FK_CHECK, {"endpoint": make.endpoint().id}) == {"delivery_of_endpoint"}
    values = {**claiming.limits(), "free": 4}
    hops = {"delivery_waiting", "delivery_held"}
    for waiting in (0, 1, 40):
        lane(waiting)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE webhooks_delivery")
        assert indexes_of(claiming.LANES + claiming.WAITING_SINCE, values) == hops


def test_looking_for_work_costs_the_same_however_much_of_a_lane_waits() -> None:
    working(10)
    busy = working(10)
    values = {**claiming.limits(), "free": 4}
    few = blocks_of(claiming.LANES + claiming.CLAIM, values)
    create_waiting_deliveries(busy, 3000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE webhooks_delivery")
    many = blocks_of(claiming.LANES + claiming.CLAIM, values)
    assert many < few + 200, "a taller index, not the three thousand rows"
