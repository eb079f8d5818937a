"""`/api/v1/api-keys/`."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from core.accounts.actor import Actor
from core.accounts.models import ApiKey, Role
from core.security.models import SecurityEvent
from tests import make

URL = "/api/v1/api-keys/"
ME = "/api/v1/me/"


@pytest.fixture
def actor() -> Actor:
    return make.actor(role=Role.ADMIN)


@pytest.fixture
def client(actor: Actor) -> APIClient:
    return make.client(actor)


@pytest.mark.django_db
def test_a_new_key_is_shown_once_and_works(client: APIClient, actor: Actor) -> None:
    answer = client.post(URL, {"name": "robot", "scopes": ["accounts:read"]})

    assert answer.status_code == 201
    key = answer.json()["key"]
    me = make.client(key).get(ME).json()
    assert (me["user"]["id"], me["scopes"]) == (str(actor.user.id), ["accounts:read"])
    for shown in (client.get(URL), client.get(f"{URL}{answer.json()['id']}/")):
        assert key[12:] not in shown.content.decode()
        assert "hash" not in shown.content.decode()
    event = SecurityEvent.objects.filter(kind="api_key.created").latest("id")
    assert (event.user, event.organization) == (actor.user, actor.organization)
    assert event.data == {"prefix": answer.json()["prefix"], "scopes": ["accounts:read"]}


@pytest.mark.django_db
def test_without_scopes_a_key_may_do_what_its_person_may(client: APIClient) -> None:
    assert client.post(URL, {"name": "robot"}).json()["scopes"] == ["*"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "x", "scopes": []}, "scopes"),
        ({"name": "x", "scopes": ["world:rule"]}, "scopes"),
        ({"name": "x", "scopes": ["accounts"]}, "scopes"),
        ({"name": "x", "scopes": "*"}, "scopes"),
        ({"name": "x", "expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "x", "expires_at": "soon"}, "expires_at"),
        ({"name": "x", "user": "somebody"}, "user"),
        ({"name": "a\x07\x00b"}, "name"),
    ],
)
def test_nonsense_is_refused_by_field(client: APIClient, body: object, field: str) -> None:
    answer = client.post(URL, body)

    assert answer.status_code == 400
    if answer.json()["code"] != "text.invalid_character":
        assert list(answer.json()["fields"]) == [field]
    assert ApiKey.objects.count() == 1


@pytest.mark.django_db
def test_a_key_cannot_make_a_key_that_may_more(actor: Actor) -> None:
    narrow = make.api_key(actor=actor, scopes=["accounts:read", "accounts:write"])
    client = make.client(narrow)

    assert client.post(URL, {"name": "x", "scopes": ["accounts:read"]}).status_code == 201
    for scopes in (["*"], ["accounts:read", "jobs:write"]):
        answer = client.post(URL, {"name": "x", "scopes": scopes})
        assert (answer.status_code, answer.json()["code"]) == (403, "scope.above_yours")


@pytest.mark.django_db
def test_deleting_revokes_and_keeps_the_row(client: APIClient, actor: Actor) -> None:
    text = make.api_key(actor=actor)
    row = ApiKey.objects.get(prefix=text[3:11])

    assert client.delete(f"{URL}{row.id}/").status_code == 204

    assert make.client(text).get(ME).status_code == 401
    assert client.get(f"{URL}{row.id}/").json()["revoked_at"] is not None
    assert SecurityEvent.objects.get(kind="api_key.revoked").data["prefix"] == row.prefix


@pytest.mark.django_db
def test_revoking_twice_keeps_the_first_time(client: APIClient, actor: Actor) -> None:
    row = ApiKey.objects.get(prefix=make.api_key(actor=actor)[3:11])
    client.delete(f"{URL}{row.id}/")
    first = client.get(f"{URL}{row.id}/").json()["revoked_at"]

    assert client.delete(f"{URL}{row.id}/").status_code == 204
    assert client.get(f"{URL}{row.id}/").json()["revoked_at"] == first


@pytest.mark.django_db
def test_a_member_sees_their_own_keys_and_an_admin_everybodys(actor: Actor) -> None:
    member = make.actor(organization=actor.organization, role=Role.MEMBER)
    mine = make.client(member)
    theirs = ApiKey.objects.get(prefix=make.api_key(actor=actor)[3:11])

    assert {row["user"] for row in mine.get(URL).json()["results"]} == {str(member.user.id)}
    assert mine.get(f"{URL}{theirs.id}/").status_code == 404
    assert len(make.client(actor).get(URL).json()["results"]) == 3


@pytest.mark.django_db
def test_another_organizations_key_is_like_none(client: APIClient) -> None:
    row = ApiKey.objects.get(prefix=make.api_key()[3:11])

    assert client.get(f"{URL}{row.id}/").status_code == 404
    assert client.delete(f"{URL}{row.id}/").status_code == 404
    row.refresh_from_db()
    assert row.revoked_at is None


@pytest.mark.django_db
def test_a_key_without_the_scope_is_told_which_it_lacks(actor: Actor) -> None:
    client = make.client(make.api_key(actor=actor, scopes=["jobs:read"]))

    answer = client.get(URL)

    assert (answer.status_code, answer.json()["code"]) == (403, "scope.missing")
    assert "accounts:read" in answer.json()["detail"]


@pytest.mark.django_db
def test_reading_is_not_writing(actor: Actor) -> None:
    client = make.client(make.api_key(actor=actor, scopes=["accounts:read"]))

    assert client.get(URL).status_code == 200
    assert client.post(URL, {"name": "x"}).json()["code"] == "scope.missing"
