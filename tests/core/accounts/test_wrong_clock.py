"""Keys and sessions end by the database's clock, whatever the clock of the process says."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from rest_framework.test import APIClient

from core.accounts import api_key_cache
from core.accounts.models import ApiKey, User
from core.db.clock import database_now
from tests import make

pytestmark = pytest.mark.django_db

ME = "/api/v1/me/"
TEN_MINUTES = timedelta(minutes=10)


@pytest.fixture(params=[TEN_MINUTES, -TEN_MINUTES], ids=["ahead", "behind"])
def wrong_clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> timedelta:
    """The clock of this process is off by so much, as Django reads it."""
    right, off = timezone.now, request.param
    monkeypatch.setattr(timezone, "now", lambda: right() + off)
    api_key_cache._entries.clear()
    return request.param


def is_now(moment: datetime | None) -> bool:
    return moment is not None and abs(database_now() - moment) < timedelta(minutes=1)


def test_keys_end_when_the_database_says_so(wrong_clock: timedelta) -> None:
    client = make.client(make.api_key(expires_at=database_now(plus_seconds=300)))
    assert client.get(ME).status_code == 200
    api_key_cache._entries.clear()
    ApiKey.objects.update(expires_at=database_now(plus_seconds=-300))
    assert client.get(ME).status_code == 401


def test_expiry_of_a_new_key_is_compared_with_the_database(wrong_clock: timedelta) -> None:
    client = make.client(make.actor())
    for seconds, status in ((300, 201), (-300, 400)):
        body = {"name": "Key", "scopes": ["*"], "expires_at": database_now(plus_seconds=seconds)}
        assert client.post("/api/v1/api-keys/", body).status_code == status


def test_session_begins_and_ends_by_the_database(wrong_clock: timedelta) -> None:
    user = make.actor().user
    client = APIClient()
    client.force_login(user)
    assert is_now(User.objects.get(pk=user.pk).last_login)
    assert is_now(Session.objects.get().expire_date - timedelta(days=14))

    Session.objects.update(expire_date=database_now(plus_seconds=300))
    assert client.get(ME).status_code == 200
    Session.objects.update(expire_date=database_now(plus_seconds=-300))
    assert client.get(ME).status_code == 401
