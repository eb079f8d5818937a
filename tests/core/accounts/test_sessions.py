"""People signed in by cookie."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from core.accounts.models import Role
from tests import make

pytestmark = pytest.mark.django_db

TEAMS = "/api/v1/teams/"


def test_one_organization_needs_no_name() -> None:
    member = make.membership()

    assert make.signed_in(member.user).get(TEAMS).status_code == 200


def test_with_several_one_must_be_named() -> None:
    member = make.membership()
    make.membership(user=member.user)
    client = make.signed_in(member.user)

    answer = client.get(TEAMS)

    assert (answer.status_code, answer.json()["code"]) == (400, "organization.required")


def test_the_named_organization_is_the_one_acted_for() -> None:
    first = make.membership()
    second = make.membership(user=first.user)
    team = make.team(organization=second.organization)
    client = make.signed_in(first.user)

    found = client.get(TEAMS, headers={"X-Organization": str(second.organization_id)}).json()

    assert [row["id"] for row in found["results"]] == [str(team.id)]


def test_the_role_is_that_in_the_named_organization() -> None:
    first = make.membership(role=Role.OWNER)
    second = make.membership(user=first.user, role=Role.VIEWER)
    client = make.signed_in(first.user)
    named = {"X-Organization": str(second.organization_id)}

    answer = client.post(TEAMS, {"name": "Sales"}, headers=named)

    assert (answer.status_code, answer.json()["code"]) == (403, "role.too_low")


@pytest.mark.parametrize("named", ["theirs", "nobody's", "nonsense"])
def test_an_organization_that_is_not_yours_is_like_none(named: str) -> None:
    ids = {
        "theirs": str(make.membership().organization_id),
        "nobody's": "0199aaaa-0000-7000-8000-000000000000",
        "nonsense": "nonsense",
    }

    client = make.signed_in(make.membership().user)
    answer = client.get(TEAMS, headers={"X-Organization": ids[named]})

    assert (answer.status_code, answer.json()["code"]) == (404, "organization.not_found")


def test_somebody_without_an_organization_is_told_so() -> None:
    answer = make.signed_in(make.user()).get(TEAMS)

    assert (answer.status_code, answer.json()["code"]) == (403, "organization.none")


def test_a_change_needs_the_csrf_token() -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(make.membership().user)

    answer = client.post(TEAMS, {"name": "Sales"})

    assert answer.status_code == 403
    assert "CSRF" in answer.json()["detail"]


def test_a_person_who_was_made_inactive_is_nobody() -> None:
    member = make.membership()
    client = make.signed_in(member.user)
    member.user.is_active = False
    member.user.save()

    assert client.get(TEAMS).status_code == 401
