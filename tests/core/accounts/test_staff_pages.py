"""The staff pages of accounts."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client

from core.accounts import api_key_cache
from core.accounts.models import ApiKey, User
from tests import make

PAGES = ["user", "organization", "team", "membership", "apikey", "idempotencykey"]


@pytest.fixture
def staff(client: Client) -> Client:
    person = make.user()
    person.is_staff = person.is_superuser = True
    person.save()
    client.force_login(person)
    return client


@pytest.mark.django_db
@pytest.mark.parametrize("page", PAGES)
def test_every_list_opens_and_searches(staff: Client, page: str) -> None:
    make.api_key()

    assert staff.get(f"/admin/core/{page}/").status_code == 200
    assert staff.get(f"/admin/core/{page}/?q=a").status_code == 200


@pytest.mark.django_db
def test_a_key_is_shown_without_its_hash(staff: Client) -> None:
    make.api_key()
    row = ApiKey.objects.get()

    shown = staff.get(f"/admin/core/apikey/{row.pk}/change/").content.decode()

    assert row.prefix in shown
    assert row.secret_hash not in shown


@pytest.mark.django_db(transaction=True)
def test_keys_are_revoked_by_an_action(staff: Client) -> None:
    text = make.api_key()
    assert make.client(text).get("/api/v1/me/").status_code == 200
    chosen = {"action": "revoke", "_selected_action": [str(ApiKey.objects.get().pk)]}

    assert staff.post("/admin/core/apikey/", chosen).status_code == 302

    assert make.client(text).get("/api/v1/me/").status_code == 401


@pytest.mark.django_db(transaction=True)
def test_a_person_is_added_and_made_inactive(staff: Client) -> None:
    form = {
        "email": "New@Example.org",
        "name": "New",
        "usable_password": "true",
        "password1": "correct horse battery",
        "password2": "correct horse battery",
    }
    assert staff.post("/admin/core/user/add/", form).status_code == 302
    person = User.objects.get(email="new@example.org")
    assert person.check_password("correct horse battery")
    before = cache.get(api_key_cache.VERSION)

    change = {"email": person.email, "name": "New", "is_staff": "on"}
    assert staff.post(f"/admin/core/user/{person.pk}/change/", change).status_code == 302

    person.refresh_from_db()
    assert (person.is_active, person.is_staff) == (False, True)
    assert cache.get(api_key_cache.VERSION) != before


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["membership", "apikey", "idempotencykey"])
def test_what_has_rules_or_is_a_log_is_read_only(staff: Client, page: str) -> None:
    assert staff.get(f"/admin/core/{page}/add/").status_code == 403


@pytest.mark.django_db
def test_who_is_not_staff_is_sent_away(client: Client) -> None:
    client.force_login(make.user())

    assert client.get("/admin/core/user/").status_code == 302
