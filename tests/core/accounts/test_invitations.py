"""`/api/v1/invitations/` and the page behind the mailed link."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.test import Client
from rest_framework.test import APIClient

from core.accounts.actor import Actor
from core.accounts.models import Invitation, Membership, Role, User
from core.db.clock import database_now
from core.security.models import SecurityEvent
from tests import make
from tests.run_jobs import run_jobs

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/api/v1/invitations/"
PASSWORD = "correct horse battery"


@pytest.fixture
def owner() -> Actor:
    return make.actor(role=Role.OWNER)


@pytest.fixture
def client(owner: Actor) -> APIClient:
    return make.client(owner)


def mailed_link() -> str:
    """The path of the link in the one mail that was sent."""
    (message,) = mail.outbox
    found = re.search(r"https?://[^/\s]+(/invitations/\S+)", str(message.body))
    assert found, message.body
    return found[1]


def invite(client: APIClient, **body: Any) -> str:
    answer = client.post(URL, {"email": "ann@example.org", **body})
    assert answer.status_code == 201, answer.json()
    run_jobs()
    return mailed_link()


def test_new_person_accepts_by_setting_name_and_password(client: APIClient, owner: Actor) -> None:
    team = make.team(organization=owner.organization)
    link = invite(client, role="viewer", teams=[str(team.id)])
    browser = Client()

    assert "Choose the name" in browser.get(link).content.decode()
    answer = browser.post(link, {"name": "Ann", "password": PASSWORD})

    assert answer.status_code == 200
    membership = Membership.objects.get(user__email="ann@example.org")
    assert (membership.role, list(membership.teams.all())) == ("viewer", [team])
    event = SecurityEvent.objects.get(kind="membership.created")
    assert (event.user, event.organization) == (membership.user, owner.organization)
    assert event.data == {"role": "viewer", "by": str(owner.user.pk)}
    assert browser.get("/api/v1/me/").json()["user"]["name"] == "Ann"
    assert browser.post(link, {"name": "Eve", "password": PASSWORD}).status_code == 404


def test_answers_for_known_and_unknown_addresses_are_the_same(client: APIClient) -> None:
    make.user(email="known@example.org", name="Known Person", password=PASSWORD)

    answers = [client.post(URL, {"email": f"{who}@example.org"}) for who in ("known", "unknown")]

    shown = [re.sub(r"unknown|known", "", answer.content.decode()) for answer in answers]
    differing = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d{4}-\d\d-\d\dT[^\"]+")
    assert differing.sub("", shown[0]) == differing.sub("", shown[1])
    assert not Membership.objects.filter(user__email="known@example.org").exists()
    assert not User.objects.filter(email="unknown@example.org").exists()


def test_known_person_accepts_with_the_password_and_keeps_name(client: APIClient) -> None:
    user = make.user(email="ann@example.org", name="Ann", password=PASSWORD)
    link = invite(client)
    browser = Client()

    wrong = browser.post(link, {"password": "not the password"})
    renamed = browser.post(link, {"password": PASSWORD, "name": "Other"})

    assert (wrong.status_code, renamed.status_code) == (400, 200)
    user.refresh_from_db()
    assert user.name == "Ann"
    assert user.memberships.count() == 1


def test_signed_in_person_accepts_with_one_click(client: APIClient) -> None:
    user = make.user(email="ann@example.org", password=PASSWORD)
    link = invite(client)

    assert make.signed_in(user).post(link).status_code == 200

    assert user.memberships.count() == 1


def test_link_is_in_no_answer_and_works_for_the_invited_session_only(
    client: APIClient, owner: Actor
) -> None:
    link = invite(client)
    token = link.split("/")[2]

    assert token not in client.get(URL).content.decode()
    make.signed_in(owner.user).post(link)

    assert Membership.objects.count() == 1


@pytest.mark.parametrize("state", ["expired", "withdrawn", "forged"])
def test_unusable_link_returns_404(client: APIClient, owner: Actor, state: str) -> None:
    invitation = make.invitation(organization=owner.organization)
    link = f"/invitations/{invitation.token}/"
    if state == "expired":
        Invitation.objects.update(expires_at=database_now(plus_seconds=-1))
    elif state == "withdrawn":
        assert client.delete(f"{URL}{invitation.id}/").status_code == 204
    else:
        link = f"/invitations/{invitation.id}:forged/"

    browser = Client()
    answers = [browser.get(link), browser.post(link, {"name": "A", "password": PASSWORD})]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert User.objects.count() == 1


def test_second_invitation_replaces_the_first(client: APIClient) -> None:
    first = invite(client)
    mail.outbox.clear()

    second = invite(client, role="admin")

    assert Client().get(first).status_code == 404
    assert Client().get(second).status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"email": "nonsense"}, "invalid"),
        ({}, "invalid"),
        ({"email": "a@example.org", "role": "king"}, "invalid"),
        ({"email": "a@example.org", "role": "owner"}, "role.above_yours"),
        ({"email": "MEMBER@example.org"}, "membership.exists"),
    ],
)
def test_bad_invitation_is_refused(owner: Actor, body: dict[str, str], code: str) -> None:
    member = make.user(email="member@example.org")
    make.membership(user=member, organization=owner.organization)
    admin = make.client(make.actor(organization=owner.organization, role=Role.ADMIN))

    assert admin.post(URL, body).json()["code"] == code
    assert not Invitation.objects.exists()


def test_without_mail_server_only_the_operator_command_prints_a_link(
    client: APIClient, owner: Actor, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

    answer = client.post(URL, {"email": "ann@example.org"})
    call_command("invitation", "ann@example.org", organization=owner.organization.name)

    assert (answer.status_code, answer.json()["code"]) == (409, "invitation.no_mail_server")
    link = capsys.readouterr().out.strip().removeprefix(settings.PUBLIC_URL)
    assert Client().get(link).status_code == 200


def test_weak_password_is_refused_and_the_link_stays_usable(client: APIClient) -> None:
    link = invite(client)

    answer = Client().post(link, {"name": "Ann", "password": "short"})

    assert answer.status_code == 400
    assert "too short" in answer.content.decode()
    assert Client().get(link).status_code == 200


def test_removed_members_invitations_end_with_them(client: APIClient, owner: Actor) -> None:
    admin = make.actor(organization=owner.organization, role=Role.ADMIN)
    link = invite(make.client(admin))
    membership = Membership.objects.get(user=admin.user)

    client.delete(f"/api/v1/memberships/{membership.id}/")

    assert Client().get(link).status_code == 404


def test_anybody_leaves_any_organization_without_naming_one(owner: Actor) -> None:
    first = make.membership(organization=owner.organization, role=Role.VIEWER)
    second = make.membership(user=first.user, role=Role.MEMBER)
    browser = make.signed_in(first.user)

    assert browser.delete(f"/api/v1/me/memberships/{first.id}/").status_code == 204
    foreign = Membership.objects.get(user=owner.user)
    assert browser.delete(f"/api/v1/me/memberships/{foreign.id}/").status_code == 404

    assert list(first.user.memberships.all()) == [second]
    assert SecurityEvent.objects.filter(kind="membership.removed").count() == 1


def test_narrow_key_cannot_leave(owner: Actor) -> None:
    make.membership(organization=owner.organization, role=Role.OWNER)
    key = make.api_key(actor=owner, scopes=["meetings:read"])
    membership = Membership.objects.get(user=owner.user)

    answer = make.client(key).delete(f"/api/v1/me/memberships/{membership.id}/")

    assert answer.json()["code"] == "scope.missing"
