"""`/api/v1/memberships/`: who belongs, and as what."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from core.accounts import services
from core.accounts.actor import Actor
from core.accounts.models import ApiKey, Membership, Role
from core.security.models import SecurityEvent
from tests import make

URL = "/api/v1/memberships/"


@pytest.fixture
def owner() -> Actor:
    return make.actor(role=Role.OWNER)


@pytest.fixture
def client(owner: Actor) -> APIClient:
    return make.client(owner)


def membership_of(actor: Actor) -> Membership:
    return Membership.objects.get(user=actor.user, organization=actor.organization)


@pytest.mark.django_db
def test_role_and_teams_are_changed(client: APIClient, owner: Actor) -> None:
    member = make.membership(organization=owner.organization, role=Role.VIEWER)
    team = make.team(organization=owner.organization)

    answer = client.patch(f"{URL}{member.id}/", {"role": "admin", "teams": [str(team.id)]})

    assert (answer.json()["role"], answer.json()["teams"]) == ("admin", [str(team.id)])
    event = SecurityEvent.objects.get(kind="membership.role_changed")
    assert event.data == {"from": "viewer", "to": "admin", "by": str(owner.user.id)}


@pytest.mark.django_db
def test_the_last_owner_can_neither_step_down_nor_leave(client: APIClient, owner: Actor) -> None:
    where = f"{URL}{membership_of(owner).id}/"

    for answer in (client.patch(where, {"role": "admin"}), client.delete(where)):
        assert (answer.status_code, answer.json()["code"]) == (409, "organization.last_owner")
    assert membership_of(owner).role == Role.OWNER


@pytest.mark.django_db
def test_one_of_two_owners_can(client: APIClient, owner: Actor) -> None:
    make.membership(organization=owner.organization, role=Role.OWNER)

    answer = client.patch(f"{URL}{membership_of(owner).id}/", {"role": "admin"})

    assert answer.status_code == 200


@pytest.mark.django_db(transaction=True)
def test_two_owners_leaving_at_once_leave_one() -> None:
    first = make.membership(role=Role.OWNER)
    second = make.membership(organization=first.organization, role=Role.OWNER)

    def leave(membership: Membership) -> bool:
        try:
            services.remove_member(membership=membership)
        except services.LastOwner:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        left = list(pool.map(leave, (first, second)))

    assert sorted(left) == [False, True]
    assert Membership.objects.filter(organization=first.organization).count() == 1


@pytest.mark.django_db
def test_an_admin_neither_makes_nor_changes_nor_removes_an_owner(owner: Actor) -> None:
    admin = make.client(make.actor(organization=owner.organization, role=Role.ADMIN))
    where = f"{URL}{membership_of(owner).id}/"
    answers = [
        admin.patch(where, {"role": "viewer"}),
        admin.delete(where),
    ]

    assert [a.json()["code"] for a in answers] == ["role.above_yours"] * 2


@pytest.mark.django_db
def test_who_leaves_takes_no_key_along(client: APIClient, owner: Actor) -> None:
    leaver = make.actor(organization=owner.organization, role=Role.MEMBER)
    text = make.api_key(actor=leaver)

    assert client.delete(f"{URL}{membership_of(leaver).id}/").status_code == 204

    assert ApiKey.objects.get(user=leaver.user).revoked_at is not None
    assert make.client(text).get("/api/v1/me/").status_code == 401


@pytest.mark.django_db
def test_another_organizations_membership_is_like_none(client: APIClient) -> None:
    where = f"{URL}{make.membership(role=Role.VIEWER).id}/"

    answers = [client.get(where), client.patch(where, {"role": "admin"}), client.delete(where)]

    assert [answer.status_code for answer in answers] == [404, 404, 404]


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_members_and_viewers_only_look(role: Role) -> None:
    client = make.client(make.actor(role=role))

    assert client.get(URL).status_code == 200
    where = f"{URL}{make.membership().id}/"
    assert client.delete(where).json()["code"] == "role.too_low"


@pytest.mark.django_db
def test_more_members_take_no_more_queries(client: APIClient, owner: Actor) -> None:
    def queries(url: str) -> int:
        client.get(url)
        with CaptureQueriesContext(connection) as found:
            assert client.get(url).status_code == 200
        return len(found)

    team = make.team(organization=owner.organization)
    member = make.membership(organization=owner.organization, teams=(team,))
    urls = (URL, f"{URL}{member.id}/", "/api/v1/me/", "/api/v1/organizations/")
    before = [queries(url) for url in urls]
    for _ in range(5):
        make.membership(organization=owner.organization, teams=(team,))

    assert [queries(url) for url in urls] == before == [2, 2, 1, 1]
