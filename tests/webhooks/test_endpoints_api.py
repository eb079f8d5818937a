"""An admin says where to listen, sees how it fares, and gets a secret that is shown once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from core.accounts.actor import Actor
from core.accounts.models import Role
from core.db.clock import database_now
from core.events.models import Event
from core.secrets.fields import Sealed
from core.security.models import SecurityEvent
from tests import make
from tests.run_jobs import run_jobs
from tests.webhooks.sending import create_waiting_deliveries
from webhooks import signatures
from webhooks.models import Delivery, DisabledReason, Endpoint, EndpointSecret
from webhooks.queries import secrets as secret_queries
from webhooks.services import endpoints

pytestmark = pytest.mark.django_db

ADDRESS = "/api/v1/webhooks/endpoints/"
URL = "https://93.184.215.14/hook"


@pytest.fixture
def who() -> Actor:
    return make.actor(role=Role.ADMIN)


@pytest.fixture
def client(who: Actor) -> APIClient:
    return make.client(who)


def create(client: APIClient, **fields: Any) -> Any:
    headers = fields.pop("headers", {})
    return client.post(ADDRESS, {"url": URL, "event_types": ["*"], **fields}, headers=headers)


def signing(endpoint_id: str) -> list[str]:
    return [row.secret for row in secret_queries.signing([endpoint_id])]  # type: ignore[list-item]


# --- Creating ---------------------------------------------------------------------------------


def test_an_endpoint_is_created_and_its_secret_shown_this_once(client: APIClient) -> None:
    answer = create(client, event_types=["export.*", "meeting.created", "export.*"])

    assert answer.status_code == 201
    made = answer.json()
    assert made["event_types"] == ["export.*", "meeting.created"]
    assert made["is_enabled"]
    assert made["signature"] == "v1"
    assert signatures.is_secret(made["secret"])
    assert signing(made["id"]) == [made["secret"]]
    shown = client.get(f"{ADDRESS}{made['id']}/").json()
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    assert client.get(ADDRESS).json()["results"] == [shown]
    assert client.get(f"{ADDRESS}{made['id']}/secret/").status_code == 404


def test_a_secret_lies_encrypted_in_the_database(client: APIClient) -> None:
    secret = create(client).json()["secret"]

    (stored,) = EndpointSecret.objects.values_list("secret", flat=True)

    assert isinstance(stored, Sealed)
    assert secret.removeprefix("whsec_").encode() not in stored.stored


def test_each_endpoint_has_a_secret_of_its_own(client: APIClient) -> None:
    assert create(client).json()["secret"] != create(client).json()["secret"]


def test_a_secret_that_another_endpoint_has_is_refused(client: APIClient) -> None:
    secret = signatures.new_secret()
    first = create(client, secret=secret).json()
    client.post(f"{ADDRESS}{first['id']}/secret/rotate/")  # it still signs

    answer = create(client, secret=secret)

    assert (answer.status_code, answer.json()["code"]) == (409, "endpoint.secret_in_use")
    assert create(client, secret=signatures.new_secret()).status_code == 201
    elsewhere = make.client(make.actor(role=Role.ADMIN))
    assert create(elsewhere, secret=secret).status_code == 201, "it would tell of others' secrets"


def test_rotating_a_secret_is_a_security_event(client: APIClient, who: Actor) -> None:
    made = create(client).json()
    client.post(f"{ADDRESS}{made['id']}/secret/rotate/", {"overlap_seconds": 0})

    event = SecurityEvent.objects.get(kind="webhooks.endpoint_secret_rotated")
    assert event.organization_id == who.organization.id
    assert event.data == {"endpoint_id": made["id"], "overlap_seconds": 0}


def test_a_repeated_request_makes_nothing_and_shows_no_secret(client: APIClient) -> None:
    key = {"Idempotency-Key": "k"}
    first, again = create(client, headers=key), create(client, headers=key)

    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == {**first.json(), "secret": None}
    assert Endpoint.objects.count() == 1


def test_a_receiver_may_keep_the_secret_it_has(client: APIClient) -> None:
    secret = signatures.new_secret()
    assert signing(create(client, secret=secret).json()["id"]) == [secret]


@pytest.mark.parametrize("secret", ["password", "whsec_YWJj", "whsec_" + "A" * 120, "whsec_%%%%"])
def test_a_weak_secret_is_refused(client: APIClient, secret: str) -> None:
    answer = create(client, secret=secret)
    assert answer.status_code == 400
    assert answer.json()["code"] in ("endpoint.weak_secret", "invalid")
    assert not Endpoint.objects.exists()


def test_a_key_pair_shows_its_public_half_at_any_time_and_the_other_never(
    client: APIClient,
) -> None:
    made = create(client, signature="v1a").json()

    assert made["secret"] is None
    assert made["public_key"].startswith("whpk_")
    assert client.get(f"{ADDRESS}{made['id']}/").json()["public_key"] == made["public_key"]
    assert create(client, signature="v1a", secret=signatures.new_secret()).status_code == 400


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("not a url", "url.invalid"),
        ("ftp://93.184.215.14/", "url.not_https"),
        ("https://10.0.0.1/hook", "url.refused_address"),
        ("https://169.254.169.254/latest/meta-data", "url.refused_address"),
        ("https://167772161/", "url.refused_address"),
        ("https://user:pass@93.184.215.14/", "url.with_credentials"),
    ],
)
def test_an_address_that_is_not_public_is_refused(client: APIClient, url: str, code: str) -> None:
    made = create(client).json()
    for answer in (
        create(client, url=url),
        client.patch(f"{ADDRESS}{made['id']}/", {"url": url}),
    ):
        assert answer.status_code == 400
        assert answer.json()["code"] == code
    assert Endpoint.objects.get().url == URL


@pytest.mark.parametrize("patterns", [[], ["nothing.at_all"], ["nothing.*"], ["export"], [""], "*"])
def test_types_that_there_are_not_are_refused(client: APIClient, patterns: Any) -> None:
    answer = create(client, event_types=patterns)
    assert answer.status_code == 400
    assert any(name.startswith("event_types") for name in answer.json()["fields"])


def test_an_organization_has_so_many_endpoints_and_no_more(
    client: APIClient, settings: Any
) -> None:
    settings.WEBHOOK_ENDPOINTS_PER_ORGANIZATION = 1
    make.endpoint()
    assert create(client).status_code == 201
    answer = create(client)
    assert answer.status_code == 409
    assert answer.json()["code"] == "endpoint.too_many"


def test_members_neither_see_nor_make_endpoints(who: Actor) -> None:
    held = make.endpoint(organization=who.organization)
    member = make.client(make.actor(organization=who.organization, role=Role.MEMBER))
    for answer in (member.get(ADDRESS), member.get(f"{ADDRESS}{held.id}/"), create(member)):
        assert answer.status_code == 403
        assert answer.json()["code"] == "role.too_low"
    reading = make.client(make.actor(organization=who.organization, scopes=("webhooks:read",)))
    assert reading.get(ADDRESS).status_code == 200
    assert create(reading).json()["code"] == "scope.missing"


# --- Changing, switching off and on, deleting ---------------------------------------------------


def test_what_is_named_changes_and_nothing_else(client: APIClient) -> None:
    made = create(client, description="ours").json()
    changes = {"event_types": ["job.*"], "rate_limit_per_second": 5}

    answer = client.patch(f"{ADDRESS}{made['id']}/", changes)

    assert answer.status_code == 200
    held = Endpoint.objects.get()
    assert (held.event_types, held.rate_limit_per_second) == (["job.*"], 5)
    assert (held.url, held.description) == (URL, "ours")
    assert client.patch(f"{ADDRESS}{made['id']}/", {"is_enabled": False}).status_code == 400


def test_another_address_begins_without_the_failures_of_the_one_before(
    client: APIClient, who: Actor
) -> None:
    soon = database_now(plus_seconds=600)
    failing = {"failures_in_a_row": 7, "failing_since": database_now(), "paused_until": soon}
    held = make.endpoint(organization=who.organization, **failing)

    client.patch(f"{ADDRESS}{held.id}/", {"description": "the same place"})
    held.refresh_from_db()
    assert held.failures_in_a_row == 7

    client.patch(f"{ADDRESS}{held.id}/", {"url": URL})
    held.refresh_from_db()
    assert (held.failures_in_a_row, held.failing_since, held.paused_until) == (0, None, None)


def test_an_endpoint_is_disabled_and_enabled_without_its_failures(
    client: APIClient, who: Actor
) -> None:
    held = make.endpoint(
        organization=who.organization, failing_since=database_now(), failures_in_a_row=3
    )

    off = client.post(f"{ADDRESS}{held.id}/disable/").json()
    assert (off["is_enabled"], off["disabled_reason"]) == (False, "by_hand")
    assert "Disabled by a person" in off["explanation"]
    assert not Event.objects.filter(type="endpoint.disabled").exists()

    on = client.post(f"{ADDRESS}{held.id}/enable/").json()
    assert (on["is_enabled"], on["disabled_reason"], on["failing_since"]) == (True, "", None)
    held.refresh_from_db()
    assert held.failures_in_a_row == 0


def test_automatic_disabling_publishes_one_event() -> None:
    held = make.endpoint()
    for reason in (DisabledReason.GONE, DisabledReason.FAILING):
        endpoints.disable_endpoint(endpoint=held, reason=reason)

    event = Event.objects.get(type="endpoint.disabled")

    assert event.data == {"endpoint_id": str(held.id), "reason": "gone"}


def test_deleting_an_endpoint_deletes_its_deliveries(client: APIClient, who: Actor) -> None:
    held, other = (make.endpoint(organization=who.organization) for _ in range(2))
    for endpoint in (held, other):
        make.attempt(delivery=make.delivery(endpoint=endpoint))

    assert client.delete(f"{ADDRESS}{held.id}/").status_code == 204
    run_jobs()

    assert client.get(f"{ADDRESS}{held.id}/").status_code == 404
    assert {one.endpoint_id for one in Delivery.objects.all()} == {other.id}
    assert EndpointSecret.objects.get().endpoint_id == other.id


# --- Trying out, rotating, looking ----------------------------------------------------------------


def test_test_is_sent_whatever_the_endpoint_subscribes_to(client: APIClient, who: Actor) -> None:
    held = make.endpoint(organization=who.organization, event_types=["export.failed"])

    answer = client.post(f"{ADDRESS}{held.id}/test/")

    assert answer.status_code == 202
    owed = answer.json()
    assert (owed["event_type"], owed["status"]) == ("endpoint.test", "queued")
    assert owed["endpoint"] == str(held.id)
    assert owed["explanation"] == "The first attempt is due and will be sent shortly."
    assert Event.objects.get().data == {"endpoint_id": str(held.id)}


def test_a_disabled_endpoint_is_not_tried_out(client: APIClient, who: Actor) -> None:
    held = make.endpoint(organization=who.organization, disabled_at=database_now())
    answer = client.post(f"{ADDRESS}{held.id}/test/")
    assert answer.status_code == 409
    assert answer.json()["code"] == "endpoint.is_disabled"
    assert not Event.objects.exists()


def test_a_rotated_secret_signs_beside_the_old_ones_for_a_day(client: APIClient) -> None:
    made = create(client).json()
    rotate = f"{ADDRESS}{made['id']}/secret/rotate/"

    second = client.post(rotate).json()["secret"]
    third = client.post(rotate, headers={"Idempotency-Key": "k"}).json()["secret"]
    assert client.post(rotate, headers={"Idempotency-Key": "k"}).json()["secret"] is None

    assert signing(made["id"])[0] == third
    assert set(signing(made["id"])) == {made["secret"], second, third}
    ends = EndpointSecret.objects.exclude(expires_at=None).values_list("expires_at", flat=True)
    assert all(
        timedelta(hours=23) < end - database_now() < timedelta(hours=24) for end in ends if end
    )


def test_old_secrets_end_with_their_time_or_at_once_when_that_is_wished(client: APIClient) -> None:
    made = create(client).json()
    rotate = f"{ADDRESS}{made['id']}/secret/rotate/"
    second = client.post(rotate).json()["secret"]
    EndpointSecret.objects.exclude(expires_at=None).update(expires_at=database_now(plus_seconds=-1))
    assert signing(made["id"]) == [second]

    third = client.post(rotate, {"overlap_seconds": 0}).json()["secret"]
    assert signing(made["id"]) == [third]
    assert EndpointSecret.objects.count() == 1


def test_too_many_old_secrets_are_refused(client: APIClient) -> None:
    rotate = f"{ADDRESS}{create(client).json()['id']}/secret/rotate/"
    for _ in range(4):
        assert client.post(rotate).status_code == 200
    answer = client.post(rotate)
    assert answer.status_code == 409
    assert answer.json()["code"] == "endpoint.rotated_too_often"


def test_an_endpoint_goes_over_to_a_key_pair(client: APIClient) -> None:
    made = create(client).json()
    answer = client.post(f"{ADDRESS}{made['id']}/secret/rotate/", {"signature": "v1a"}).json()

    assert answer["secret"] is None
    shown = client.get(f"{ADDRESS}{made['id']}/").json()
    assert (shown["signature"], shown["public_key"]) == ("v1a", answer["public_key"])
    assert signing(made["id"])[1:] == [made["secret"]]


def test_statistics_tell_how_an_endpoint_fares(client: APIClient, who: Actor) -> None:
    held = make.endpoint(organization=who.organization, failing_since=database_now())
    for status, kind, took in (
        ("succeeded", "", 100),
        ("succeeded", "", 200),
        ("succeeded", "", 300),
        ("dead", "timeout", 10_000),
    ):
        one = make.delivery(endpoint=held, status=status, ended_at=database_now())
        make.attempt(delivery=one, error_kind=kind, duration_ms=took)
    old = make.delivery(endpoint=held, status="failed", ended_at=database_now())
    Delivery.objects.filter(id=old.id).update(created_at=database_now() - timedelta(days=2))
    waiting = make.delivery(endpoint=held)
    make.delivery(endpoint=make.endpoint(organization=who.organization))

    found = client.get(f"{ADDRESS}{held.id}/statistics/").json()

    assert (found["waiting"], found["waiting_is_sample"]) == (1, False)
    assert found["oldest_waiting_at"] == waiting.created_at.isoformat().replace("+00:00", "Z")
    assert found["failing_since"] is not None
    assert found["last_day"] == {
        "deliveries": {"queued": 1, "running": 0, "succeeded": 3, "failed": 0, "dead": 1},
        "is_sample": False,
        "success_rate": 0.75,
        "attempts": 4,
        "attempts_succeeded": 3,
        "duration_ms_p50": 200,
        "duration_ms_p95": 10_000,
    }
    assert found["last_week"]["deliveries"]["failed"] == 1
    assert found["last_week"]["success_rate"] == 0.6


def test_statistics_count_no_more_of_what_waits_than_they_say(
    client: APIClient, who: Actor
) -> None:
    held = make.endpoint(organization=who.organization)
    create_waiting_deliveries(held, 10_001)
    found = client.get(f"{ADDRESS}{held.id}/statistics/").json()
    assert (found["waiting"], found["waiting_is_sample"]) == (10_000, True)
    assert found["oldest_waiting_at"] is not None
    assert found["last_day"]["is_sample"] is True


def test_an_endpoint_without_a_past_has_empty_statistics(client: APIClient, who: Actor) -> None:
    held = make.endpoint(organization=who.organization)
    found = client.get(f"{ADDRESS}{held.id}/statistics/").json()
    assert found["waiting"] == found["last_day"]["attempts"] == 0
    assert found["last_day"]["success_rate"] is found["last_day"]["duration_ms_p50"] is None
