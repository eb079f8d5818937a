"""`/api/v1/teams/` and their members."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from core.accounts.actor import Actor
from core.accounts.models import Role, Team
from tests import make

pytestmark = pytest.mark.django_db

URL = "/api/v1/teams/"


@pytest.fixture
def actor() -> Actor:
    return make.actor(role=Role.ADMIN)


@pytest.fixture
def client(actor: Actor) -> APIClient:
    return make.client(actor)


def test_a_team_is_created_shown_renamed_and_deleted(client: APIClient) -> None:
    made = client.post(URL, {"name": "Sales"})
    assert made.status_code == 201
    assert (made.json()["name"], made.json()["member_count"]) == ("Sales", 0)

    where = f"{URL}{made.json()['id']}/"
    assert client.get(where).json() == made.json()
    assert client.patch(where, {"name": "Selling"}).json()["name"] == "Selling"
    assert client.delete(where).status_code == 204
    assert client.get(where).status_code == 404


def test_two_teams_of_one_organization_cannot_share_a_name(client: APIClient) -> None:
    client.post(URL, {"name": "Sales"})

    answer = client.post(URL, {"name": "SALES"})

    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["name"])


def test_teams_of_two_organizations_can(client: APIClient) -> None:
    make.team(name="Sales")

    assert client.post(URL, {"name": "Sales"}).status_code == 201


def test_members_join_and_leave(client: APIClient, actor: Actor) -> None:
    team = make.team(organization=actor.organization)
    member = make.membership(organization=actor.organization, role=Role.MEMBER)
    members = f"{URL}{team.id}/members/"

    joined = client.post(members, {"membership": str(member.id)})

    assert joined.status_code == 201
    assert joined.json()["teams"] == [str(team.id)]
    listed = client.get(members).json()["results"]
    assert [row["user"]["email"] for row in listed] == [member.user.email]
    assert client.get(f"{URL}{team.id}/").json()["member_count"] == 1
    assert client.delete(f"{members}{member.id}/").status_code == 204
    assert client.get(members).json()["results"] == []


def test_somebody_elses_membership_is_like_none(client: APIClient, actor: Actor) -> None:
    team = make.team(organization=actor.organization)
    members = f"{URL}{team.id}/members/"
    answers = [
        client.post(members, {"membership": str(i)}).json()["fields"]
        for i in (make.membership().id, "0199aaaa-0000-7000-8000-000000000000")
    ]

    assert answers[0] == answers[1] == {"membership": ["There is no such thing here."]}


@pytest.mark.parametrize("who", ["nonsense", "0199aaaa-0000-7000-8000-000000000000"])
def test_who_is_not_in_the_team_cannot_leave_it(client: APIClient, actor: Actor, who: str) -> None:
    team = make.team(organization=actor.organization)

    assert client.delete(f"{URL}{team.id}/members/{who}/").status_code == 404


def test_another_organizations_team_is_like_none(client: APIClient) -> None:
    team = make.team()

    assert client.get(URL).json()["results"] == []
    for path in ("", "members/", f"members/{make.membership().id}/"):
        method: Any = client.delete if path.startswith("members/0") else client.get
        assert method(f"{URL}{team.id}/{path}").status_code == 404
    assert client.patch(f"{URL}{team.id}/", {"name": "Mine"}).status_code == 404
    assert client.delete(f"{URL}{team.id}/").status_code == 404
    assert Team.objects.filter(id=team.id, name=team.name).exists()


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_members_and_viewers_only_look(role: Role) -> None:
    client = make.client(make.actor(role=role))

    assert client.get(URL).status_code == 200
    answer = client.post(URL, {"name": "Sales"})
    assert (answer.status_code, answer.json()["code"]) == (403, "role.too_low")


def queries_of(client: APIClient, url: str) -> int:
    client.get(url)  # looks the key up
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


def test_more_teams_and_members_take_no_more_queries(client: APIClient, actor: Actor) -> None:
    team = make.team(organization=actor.organization)
    make.membership(organization=actor.organization, teams=(team,))
    urls = (URL, f"{URL}{team.id}/", f"{URL}{team.id}/members/")
    before = [queries_of(client, url) for url in urls]

    for _ in range(5):
        other = make.team(organization=actor.organization)
        make.membership(organization=actor.organization, teams=(team, other))

    assert [queries_of(client, url) for url in urls] == before == [1, 1, 3]
