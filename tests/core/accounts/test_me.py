"""`GET /api/v1/me/`."""

from __future__ import annotations

import pytest

from core.accounts.models import Role
from tests import make

pytestmark = pytest.mark.django_db


def test_a_key_learns_who_it_acts_for() -> None:
    actor = make.actor(role=Role.ADMIN)

    answer = make.client(actor).get("/api/v1/me/")

    assert answer.status_code == 200
    me = answer.json()
    assert me["user"]["email"] == actor.user.email
    assert me["organization"]["id"] == str(actor.organization.id)
    assert (me["role"], me["scopes"]) == ("admin", ["*"])
    assert [m["organization"]["id"] for m in me["memberships"]] == [str(actor.organization.id)]


def test_a_key_does_not_learn_of_the_persons_other_organizations() -> None:
    actor = make.actor()
    make.membership(user=actor.user)

    assert len(make.client(actor).get("/api/v1/me/").json()["memberships"]) == 1


def test_a_person_with_two_organizations_sees_both_before_choosing() -> None:
    first = make.membership()
    make.membership(user=first.user)

    me = make.signed_in(first.user).get("/api/v1/me/").json()

    assert me["organization"] is None
    assert len(me["memberships"]) == 2


def test_nobody_is_asked_to_sign_in() -> None:
    answer = make.client().get("/api/v1/me/")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["code"] == "not_signed_in"
