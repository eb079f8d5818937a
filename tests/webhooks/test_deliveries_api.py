"""The log explains each delivery, and undelivered events can be sent again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from rest_framework.test import APIClient

from core.accounts.actor import Actor
from core.accounts.models import Role
from core.db.clock import database_now
from tests import make
from webhooks.models import Delivery, Endpoint

pytestmark = pytest.mark.django_db

ADDRESS = "/api/v1/webhooks/deliveries/"
IN_2099 = datetime(2099, 11, 22, 10, 35, tzinfo=UTC)
REFUSED: dict[str, Any] = {"attempt_count": 1, "last_error_kind": "refused"}
REFUSED_ONCE = (
    "The connection was refused, or the endpoint's address cannot be reached. Tried once so far. "
)


@pytest.fixture
def who() -> Actor:
    return make.actor(role=Role.ADMIN)


@pytest.fixture
def client(who: Actor) -> APIClient:
    return make.client(who)


@pytest.fixture
def endpoint(who: Actor) -> Endpoint:
    return make.endpoint(organization=who.organization)


def ended(endpoint: Endpoint, status: str = "dead", days_ago: float = 0, **fields: Any) -> Delivery:
    row = make.delivery(
        endpoint=endpoint,
        status=status,
        ended_at=database_now(),
        next_attempt_at=None,
        **{"attempt_count": 8, "last_error_kind": "status", "last_status_code": 503, **fields},
    )
    moment = database_now() - timedelta(days=days_ago)
    Delivery.objects.filter(id=row.id).update(created_at=moment)
    row.refresh_from_db()
    return row


def failed_so_far(endpoint: Endpoint) -> Delivery:
    """One that is tried again in an hour."""
    due = database_now() + timedelta(hours=1)
    return make.delivery(
        endpoint=endpoint,
        next_attempt_at=due,
        attempt_count=2,
        last_error_kind="status",
        last_status_code=503,
    )


# --- The log ------------------------------------------------------------------------------------


def test_a_delivery_shows_what_was_sent_and_what_each_attempt_came_to(
    client: APIClient, endpoint: Endpoint
) -> None:
    row = ended(endpoint, attempt_count=2)
    make.attempt(delivery=row, status_code=None, error_kind="timeout", address=None)
    make.attempt(delivery=row, status_code=503, error_kind="status", excerpt="down")

    shown = client.get(f"{ADDRESS}{row.id}/").json()

    assert shown["explanation"] == (
        "Tried twice and given up. The receiver answered 503. Only 2xx counts as received."
    )
    assert orjson.loads(shown["body"])["type"] == "meeting.created"
    first, second = shown["attempts"]
    assert (first["number"], first["error_kind"], first["status_code"]) == (1, "timeout", None)
    assert first["explanation"] == "The receiver did not finish answering within 10 seconds."
    assert (second["number"], second["excerpt"]) == (2, "down")


def test_list_omits_bodies_and_applies_every_filter(client: APIClient, who: Actor) -> None:
    mine, other = (make.endpoint(organization=who.organization) for _ in range(2))
    old = ended(mine, days_ago=2)
    chosen = ended(mine, "succeeded", event_type="export.completed")
    waiting = make.delivery(endpoint=other)
    ended(make.endpoint())
    between = (database_now() - timedelta(days=1)).isoformat()

    def listed(**query: Any) -> list[str]:
        answer = client.get(ADDRESS, query)
        assert answer.status_code == 200, answer.json()
        return [row["id"] for row in answer.json()["results"]]

    def ids(*rows: Delivery) -> list[str]:
        return [str(row.id) for row in rows]

    assert listed() == ids(waiting, chosen, old)
    assert listed(endpoint=mine.id) == ids(chosen, old)
    assert listed(status="succeeded") == listed(event_type="export.completed") == ids(chosen)
    assert listed(event=waiting.event_id) == listed(status="queued") == ids(waiting)
    assert listed(created_after=between) == ids(waiting, chosen)
    assert listed(created_before=between) == ids(old)
    assert listed(endpoint=mine.id, status="dead", event_type="meeting.created") == ids(old)
    assert listed(endpoint=mine.id, status="queued") == []
    assert not {"body", "attempts"} & set(client.get(ADDRESS).json()["results"][0])


@pytest.mark.parametrize(
    "query", ["status=lost", "endpoint=x", "created_after=today", "state=dead"]
)
def test_filters_that_make_no_sense_are_refused(client: APIClient, query: str) -> None:
    assert client.get(f"{ADDRESS}?{query}").status_code == 400


def test_pages_follow_one_another(client: APIClient, endpoint: Endpoint) -> None:
    rows = [ended(endpoint) for _ in range(3)]
    first = client.get(ADDRESS, {"page_size": 2}).json()
    second = client.get(first["next"]).json()
    found = [row["id"] for row in first["results"] + second["results"]]
    assert found == [str(row.id) for row in reversed(rows)]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "The first attempt is due and will be sent shortly."),
        (
            {**REFUSED, "next_attempt_at": IN_2099},
            f"{REFUSED_ONCE}Waits for its next attempt until 2099-11-22 10:35:00 UTC.",
        ),
        (
            {**REFUSED, "next_attempt_at": datetime(2026, 11, 22, tzinfo=UTC)},
            f"{REFUSED_ONCE}The next attempt is due and will be sent shortly.",
        ),
        ({"status": "running"}, "Being sent."),
        ({"status": "succeeded", "last_status_code": 204}, "Delivered. The receiver answered 204."),
        (
            {"status": "failed", "last_status_code": 410, "last_error_kind": "gone"},
            (
                "Given up without another attempt. "
                "The receiver answered 410: this address is gone for good."
            ),
        ),
    ],
)
def test_explanation_states_the_progress_of_a_delivery(
    client: APIClient, endpoint: Endpoint, fields: dict[str, Any], message: str
) -> None:
    row = make.delivery(endpoint=endpoint, **fields)
    assert client.get(f"{ADDRESS}{row.id}/").json()["explanation"] == message


@pytest.mark.parametrize(
    ("lane", "message", "next_attempt_at"),
    [
        (
            {"paused_until": IN_2099},
            (
                "Waits for its first attempt until 2099-11-22 10:35:00 UTC"
                " because its endpoint is paused."
            ),
            "2099-11-22T10:35:00Z",
        ),
        (
            {"disabled_at": IN_2099, "disabled_reason": "by_hand"},
            "Waits for its first attempt until its endpoint is enabled.",
            None,
        ),
        (
            {"rate_limit_per_second": 2, "next_slot_at": IN_2099},
            "Waits for its first attempt: the rate limit of its endpoint is 2 a second.",
            "2026-11-22T00:00:00Z",
        ),
    ],
)
def test_due_delivery_names_the_endpoint_state_that_delays_it(
    client: APIClient, who: Actor, lane: Any, message: str, next_attempt_at: str | None
) -> None:
    row = make.delivery(
        endpoint=make.endpoint(organization=who.organization, **lane),
        next_attempt_at=datetime(2026, 11, 22, tzinfo=UTC),
    )
    shown = client.get(f"{ADDRESS}{row.id}/").json()
    assert (shown["explanation"], shown["next_attempt_at"]) == (message, next_attempt_at)


# --- Owing again --------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["dead", "failed", "succeeded"])
def test_an_ended_delivery_begins_a_new_round_with_the_same_bytes(
    client: APIClient, endpoint: Endpoint, status: str
) -> None:
    row = ended(endpoint, status)

    answer = client.post(f"{ADDRESS}{row.id}/replay/")

    assert answer.status_code == 202
    assert answer.json()["status"] == "queued"
    held = Delivery.objects.get()
    assert (held.status, held.attempt_count, held.ended_at) == ("queued", 0, None)
    assert held.next_attempt_at is not None
    assert held.next_attempt_at <= database_now()
    assert (held.event_id, held.body) == (row.event_id, row.body)


def test_a_delivery_that_waits_is_sent_now_and_one_that_is_being_sent_is_left_alone(
    client: APIClient, endpoint: Endpoint
) -> None:
    waiting = failed_so_far(endpoint)
    running = make.delivery(endpoint=endpoint, status="running", attempt_count=2)

    assert client.post(f"{ADDRESS}{waiting.id}/replay/").status_code == 202
    answer = client.post(f"{ADDRESS}{running.id}/replay/")

    assert (answer.status_code, answer.json()["code"]) == (409, "delivery.not_ended")
    waiting.refresh_from_db()
    running.refresh_from_db()
    assert (waiting.status, waiting.attempt_count) == ("queued", 0)
    assert waiting.next_attempt_at is not None
    assert waiting.next_attempt_at <= database_now()
    assert (running.status, running.attempt_count) == ("running", 2)


def test_replay_ends_the_pause_and_one_attempt_probes_the_endpoint(
    client: APIClient, who: Actor
) -> None:
    paused = {"paused_until": database_now() + timedelta(hours=2), "failures_in_a_row": 7}
    endpoints = [make.endpoint(organization=who.organization, **paused) for _ in range(4)]
    one, many, since, other = endpoints
    row, _ = failed_so_far(one), failed_so_far(many)
    asked = [
        (f"{ADDRESS}{row.id}/replay/", {}),
        (f"{ADDRESS}replay/", {"endpoint": str(many.id)}),
        (f"/api/v1/webhooks/endpoints/{since.id}/recover/", {"since": database_now().isoformat()}),
    ]

    for address, body in asked:
        assert client.post(address, body).status_code == 202

    for endpoint in endpoints:
        endpoint.refresh_from_db()
    assert [one.paused_until, many.paused_until, since.paused_until] == [None] * 3
    assert {endpoint.failures_in_a_row for endpoint in endpoints} == {7}
    assert other.paused_until is not None


def test_old_deliveries_and_disabled_endpoints_are_not_replayed(
    client: APIClient, who: Actor, endpoint: Endpoint
) -> None:
    off = make.endpoint(organization=who.organization, disabled_at=database_now())
    for row, code in (
        (ended(endpoint, days_ago=15), "delivery.too_old"),
        (ended(off), "endpoint.is_disabled"),
    ):
        answer = client.post(f"{ADDRESS}{row.id}/replay/")
        assert answer.status_code == 409
        assert answer.json()["code"] == code

    assert client.post(f"{ADDRESS}replay/", {}).json() == {"replayed": 0}


def test_all_given_up_deliveries_are_replayed_at_once(
    client: APIClient, who: Actor, endpoint: Endpoint
) -> None:
    lost = [ended(endpoint), ended(endpoint, "failed", days_ago=13), failed_so_far(endpoint)]
    ended(endpoint, "succeeded")
    make.delivery(endpoint=endpoint, status="running")
    untried = make.delivery(endpoint=endpoint)
    foreign = ended(make.endpoint())

    answer = client.post(f"{ADDRESS}replay/", {})

    assert (answer.status_code, answer.json()) == (202, {"replayed": 3})
    queued = Delivery.objects.queued().values_list("id", flat=True)
    assert set(queued) == {row.id for row in (*lost, untried)}
    assert client.post(f"{ADDRESS}replay/", {}).json() == {"replayed": 0}, "they are on their way"
    foreign.refresh_from_db()
    assert foreign.status == "dead"


def test_filters_choose_the_replayed_deliveries(client: APIClient, who: Actor) -> None:
    first, second = (make.endpoint(organization=who.organization) for _ in range(2))
    ended(first, days_ago=3)
    chosen = ended(first, "succeeded", event_type="export.completed")
    ended(second)
    yesterday = (database_now() - timedelta(days=1)).isoformat()

    def replayed(**chosen: Any) -> int:
        answer = client.post(f"{ADDRESS}replay/", chosen)
        assert answer.status_code == 202, answer.json()
        return int(answer.json()["replayed"])

    assert replayed(event_type="export.completed") == 0  # it succeeded, and nobody named that
    assert replayed(status="succeeded", endpoint=str(second.id)) == 0
    assert replayed(status="succeeded", endpoint=str(first.id), event=str(chosen.event_id)) == 1
    assert replayed(created_after=yesterday, endpoint=str(first.id)) == 0
    assert replayed(created_before=yesterday) == 1
    assert client.post(f"{ADDRESS}replay/", {"status": "running"}).status_code == 400


def test_an_endpoint_gets_again_what_was_given_up_since_a_time(
    client: APIClient, who: Actor, endpoint: Endpoint
) -> None:
    recover = f"/api/v1/webhooks/endpoints/{endpoint.id}/recover/"
    ended(endpoint, days_ago=5)
    ended(endpoint, days_ago=3)
    ended(endpoint, "succeeded", days_ago=2)
    ended(endpoint)
    failed_so_far(endpoint)
    ended(make.endpoint(organization=who.organization))

    def days_ago(days: float) -> str:
        return (database_now() - timedelta(days=days)).isoformat()

    within = {"since": days_ago(4), "until": days_ago(1)}
    assert client.post(recover, within).json() == {"replayed": 1}
    assert client.post(recover, {"since": days_ago(4)}).json() == {"replayed": 2}
    assert client.post(recover, {"since": days_ago(14)}).json() == {"replayed": 1}
    assert client.post(recover, {"since": days_ago(15)}).json()["code"] == "delivery.too_old"
    assert client.post(recover, {}).status_code == 400
    future = client.post(recover, {"since": days_ago(-1)})
    assert (future.status_code, future.json()["code"]) == (400, "invalid")
    assert set(future.json()["fields"]) == {"since"}

    Endpoint.objects.filter(id=endpoint.id).update(disabled_at=database_now())
    refused = client.post(recover, {"since": days_ago(1)})
    assert (refused.status_code, refused.json()["code"]) == (409, "endpoint.is_disabled")


def test_members_do_not_see_the_log(who: Actor, endpoint: Endpoint) -> None:
    row = ended(endpoint)
    member = make.client(make.actor(organization=who.organization, role=Role.MEMBER))
    for answer in (
        member.get(ADDRESS),
        member.get(f"{ADDRESS}{row.id}/"),
        member.post(f"{ADDRESS}{row.id}/replay/"),
        member.post(f"{ADDRESS}replay/", {}),
    ):
        assert answer.json()["code"] == "role.too_low"
