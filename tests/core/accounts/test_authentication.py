"""API keys as a way in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from core.accounts import api_key_cache, services
from core.accounts.models import ApiKey, Organization, Role
from core.accounts.models.api_key import PATTERN
from core.db.clock import database_now
from core.security.models import SecurityEvent
from tests import make

ME = "/api/v1/me/"


@pytest.fixture(autouse=True)
def strangers() -> Iterator[None]:
    """Every test meets a process that knows no key."""
    api_key_cache._entries.clear()
    yield
    api_key_cache._entries.clear()


def status(text: str) -> int:
    answer = make.client(text).get(ME)
    return answer.status_code


@pytest.mark.django_db
def test_a_key_is_a_prefix_and_a_secret_and_only_the_hash_is_kept() -> None:
    text = make.api_key()

    match = PATTERN.fullmatch(text)
    assert match
    row = ApiKey.objects.get(prefix=match[1])
    assert len(text) == 55
    assert match[2] not in "".join(str(value) for value in vars(row).values())
    assert status(text) == 200


@pytest.mark.django_db
@pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer ", "Bearer mb_a_b", "bearer mb_é"])
def test_what_is_not_shaped_like_a_key_is_refused(header: str) -> None:
    answer = APIClient().get(ME, HTTP_AUTHORIZATION=header)

    assert (answer.status_code, answer.json()["code"]) == (401, "api_key.refused")
    event = SecurityEvent.objects.get(kind="api_key.refused")
    assert event.data == {"prefix": "", "reason": "malformed"}


@pytest.mark.django_db
def test_another_scheme_is_nobody() -> None:
    answer = APIClient().get(ME, HTTP_AUTHORIZATION="Basic YTpi")

    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


def changed(text: str) -> str:
    return text[:-1] + ("A" if text[-1] != "A" else "B")


def unknown(text: str) -> str:
    return f"mb_{'0' * 8}{text[11:]}"


def revoke(text: str) -> str:
    services.revoke_api_key(api_key=ApiKey.objects.get(prefix=text[3:11]))
    return text


def expire(text: str) -> str:
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    return text


def deactivate(text: str) -> str:
    row = ApiKey.objects.select_related("user").get(prefix=text[3:11])
    row.user.is_active = False
    row.user.save()
    return text


def dismiss(text: str) -> str:
    row = ApiKey.objects.select_related("user").get(prefix=text[3:11])
    row.user.memberships.all().delete()
    return text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (changed, "wrong secret"),
        (unknown, "unknown"),
        (revoke, "revoked"),
        (expire, "expired"),
        (deactivate, "person not active"),
        (dismiss, "no longer a member"),
    ],
)
def test_a_key_that_does_not_hold_is_refused_and_recorded(spoil: Any, reason: str) -> None:
    text = spoil(make.api_key())

    answer = make.client(text).get(ME, REMOTE_ADDR="192.0.2.7")

    assert (answer.status_code, answer.json()["code"]) == (401, "api_key.refused")
    event = SecurityEvent.objects.get(kind="api_key.refused")
    assert event.data == {"prefix": text[3:11], "reason": reason}
    assert event.ip == "192.0.2.7"
    assert event.request_id == answer.headers["X-Request-ID"]
    assert (event.organization_id is None) == (reason == "unknown")


@pytest.mark.django_db
def test_a_key_that_expires_later_holds_until_then() -> None:
    text = make.api_key(expires_at=timezone.now() + timedelta(minutes=1))
    assert status(text) == 200

    (entry,) = api_key_cache._entries.values()
    assert entry.ends_at - time.monotonic() <= api_key_cache.LIFETIME_SECONDS
    api_key_cache._entries.clear()

    ApiKey.objects.update(expires_at=database_now(plus_seconds=2))
    assert status(text) == 200
    (entry,) = api_key_cache._entries.values()
    assert entry.ends_at - time.monotonic() <= 2


@pytest.mark.django_db
def test_a_key_names_its_own_organization_or_none() -> None:
    actor = make.actor()
    elsewhere = make.membership(user=actor.user).organization
    client = make.client(actor)

    assert client.get(ME, HTTP_X_ORGANIZATION=str(actor.organization.id)).status_code == 200
    for named in (str(elsewhere.id), "nonsense"):
        answer = client.get(ME, HTTP_X_ORGANIZATION=named)
        assert (answer.status_code, answer.json()["code"]) == (404, "organization.not_found")


@pytest.mark.django_db
def test_last_use_is_written_at_most_once_a_minute() -> None:
    text = make.api_key()
    status(text)
    first = ApiKey.objects.get(prefix=text[3:11]).last_used_at
    api_key_cache._entries.clear()
    status(text)
    assert first is not None
    assert ApiKey.objects.get(prefix=text[3:11]).last_used_at == first

    earlier = timezone.now() - timedelta(minutes=2)
    ApiKey.objects.update(last_used_at=earlier)
    api_key_cache._entries.clear()
    status(text)
    second = ApiKey.objects.get(prefix=text[3:11]).last_used_at
    assert second is not None
    assert second > earlier


# --- What a process remembers ---------------------------------------------------------------------


def queries_of_authentication(text: str) -> int:
    from core.accounts.authentication import actor_of_key

    with CaptureQueriesContext(connection) as queries:
        actor_of_key(text)
    return len(queries)


@pytest.mark.django_db
def test_a_known_key_asks_the_database_nothing() -> None:
    text = make.api_key()
    cache.get_or_set(api_key_cache.VERSION, "one", None)

    assert queries_of_authentication(text) == 2  # the row, and its last use
    assert queries_of_authentication(text) == 0


@pytest.mark.django_db(transaction=True)
def test_a_revoked_key_is_refused_at_once_though_it_was_known() -> None:
    text = make.api_key()
    assert [status(text), status(text)] == [200, 200]

    revoke(text)

    assert status(text) == 401


@pytest.mark.django_db(transaction=True)
def test_a_changed_role_holds_at_once() -> None:
    owner, member = make.membership(), make.membership(role=Role.ADMIN)
    del owner
    text = services.create_api_key(
        user=member.user, organization=member.organization, name="test"
    ).text
    assert make.client(text).get(ME).json()["role"] == "admin"

    services.change_role(membership=member, role=Role.VIEWER)

    assert make.client(text).get(ME).json()["role"] == "viewer"


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_change_forgets_nothing() -> None:
    text = make.api_key()
    status(text)
    version = cache.get(api_key_cache.VERSION)

    class Undo(Exception):
        pass

    with suppress(Undo), transaction.atomic():
        revoke(text)
        raise Undo

    assert cache.get(api_key_cache.VERSION) == version
    assert status(text) == 200


@pytest.mark.django_db
def test_without_a_cache_every_request_asks_the_database(settings: Any) -> None:
    settings.CACHES = {
        "default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    }
    text = make.api_key()

    assert status(text) == 200
    assert api_key_cache._entries == {}
    ApiKey.objects.update(revoked_at=timezone.now())
    assert status(text) == 401


@pytest.mark.django_db
def test_a_flood_of_keys_does_not_fill_the_memory() -> None:
    actor = make.actor()
    for number in range(api_key_cache.MOST_ENTRIES + 10):
        api_key_cache.put(str(number), actor, seconds=60, version="one")

    assert len(api_key_cache._entries) <= api_key_cache.MOST_ENTRIES


@pytest.mark.django_db
def test_organizations_are_told_apart_by_their_keys() -> None:
    first, second = make.actor(), make.actor()

    found = {
        make.client(actor).get("/api/v1/organizations/").json()["results"][0]["id"]
        for actor in (first, second)
    }

    assert found == {str(o.id) for o in Organization.objects.all()}
