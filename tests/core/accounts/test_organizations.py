"""`/api/v1/organizations/`."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from core.accounts.actor import Actor
from core.accounts.models import Membership, Organization, Role
from core.security.models import SecurityEvent
from tests import make

pytestmark = pytest.mark.django_db

URL = "/api/v1/organizations/"


@pytest.fixture
def actor() -> Actor:
    return make.actor(role=Role.ADMIN)


@pytest.fixture
def client(actor: Actor) -> APIClient:
    return make.client(actor)


def test_a_key_lists_the_one_organization_it_acts_for(client: APIClient, actor: Actor) -> None:
    make.membership(user=actor.user)

    found = client.get(URL).json()["results"]

    assert [row["id"] for row in found] == [str(actor.organization.id)]
    assert set(found[0]) == {"id", "name", "time_zone", "language", "created_at", "updated_at"}


def test_a_person_lists_all_of_theirs_without_naming_one() -> None:
    first = make.membership()
    second = make.membership(user=first.user)
    make.membership()

    found = make.signed_in(first.user).get(URL).json()["results"]

    assert {row["id"] for row in found} == {
        str(first.organization_id),
        str(second.organization_id),
    }


def test_an_admin_changes_name_time_zone_and_language(client: APIClient, actor: Actor) -> None:
    change = {"name": "New", "time_zone": "Europe/Berlin", "language": "pt-BR"}

    answer = client.patch(f"{URL}{actor.organization.id}/", change)

    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in change} == change
    assert client.get(f"{URL}{actor.organization.id}/").json()["name"] == "New"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "../etc/passwd"),
        ("language", "English please"),
        ("name", ""),
        ("id", "0199aaaa-0000-7000-8000-000000000000"),
        ("owner", "me"),
    ],
)
def test_nonsense_is_refused_by_field(
    client: APIClient, actor: Actor, field: str, value: str
) -> None:
    answer = client.patch(f"{URL}{actor.organization.id}/", {field: value})

    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [field]


def test_a_member_cannot_change_it() -> None:
    member = make.actor(role=Role.MEMBER)

    answer = make.client(member).patch(f"{URL}{member.organization.id}/", {"name": "Mine"})

    assert (answer.status_code, answer.json()["code"]) == (403, "role.too_low")


def test_another_organization_is_like_none(client: APIClient) -> None:
    other, nobody = make.organization().id, "0199aaaa-0000-7000-8000-000000000000"

    for method in ("get", "patch"):
        answers = [getattr(client, method)(f"{URL}{i}/").json() for i in (other, nobody)]
        assert [a["status"] for a in answers] == [404, 404]


def test_a_person_cannot_change_one_they_did_not_name() -> None:
    first = make.membership()
    second = make.membership(user=first.user)
    client = make.signed_in(first.user)
    named = {"X-Organization": str(first.organization_id)}

    answer = client.patch(f"{URL}{second.organization_id}/", {"name": "New"}, headers=named)

    assert answer.status_code == 404


def test_a_signed_in_person_creates_one_and_owns_it() -> None:
    person = make.user()

    answer = make.signed_in(person).post(URL, {"name": "Mine", "time_zone": "Asia/Tokyo"})

    assert answer.status_code == 201
    owner = Membership.objects.get(organization_id=answer.json()["id"])
    assert (owner.user, owner.role) == (person, Role.OWNER)
    event = SecurityEvent.objects.get(kind="membership.created")
    assert (event.user, event.data["role"]) == (person, "owner")


def test_a_key_creates_none(client: APIClient) -> None:
    answer = client.post(URL, {"name": "Another"})

    assert (answer.status_code, answer.json()["code"]) == (403, "organization.person_only")
    assert Organization.objects.count() == 1


def test_nobody_deletes_one(client: APIClient, actor: Actor) -> None:
    assert client.delete(f"{URL}{actor.organization.id}/").status_code == 405
