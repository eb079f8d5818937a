"""`manage.py bootstrap`."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from core.accounts.models import ApiKey, Membership, Role
from tests import make

pytestmark = pytest.mark.django_db


def bootstrap(*more: str, organization: str = "Acme", email: str = "Ann@example.org") -> list[str]:
    """The lines on standard output, then everything said beside it."""
    out, beside = StringIO(), StringIO()
    arguments = ["--organization", organization, "--email", email, *more]
    call_command("bootstrap", *arguments, stdout=out, stderr=beside)
    return [*out.getvalue().split(), beside.getvalue()]


def test_it_makes_organization_owner_and_a_key_that_works() -> None:
    key, beside = bootstrap()

    me = make.client(key).get("/api/v1/me/").json()
    assert (me["organization"]["name"], me["role"]) == ("Acme", "owner")
    assert me["user"]["email"] == "ann@example.org"
    assert "created" in beside


def test_a_second_run_changes_nothing_and_says_how_to_get_a_key() -> None:
    bootstrap()

    (beside,) = bootstrap()

    assert "exists already" in beside
    assert "--new-key" in beside
    assert (Membership.objects.count(), ApiKey.objects.count()) == (1, 1)


def test_new_key_makes_another_and_leaves_the_first() -> None:
    first, _ = bootstrap()
    second, _ = bootstrap("--new-key")

    assert first != second
    for key in (first, second):
        assert make.client(key).get("/api/v1/me/").status_code == 200


def test_a_password_lets_the_owner_sign_in_but_not_into_the_staff_pages() -> None:
    bootstrap("--password", "correct horse battery")

    user = Membership.objects.get(role=Role.OWNER).user
    assert user.check_password("correct horse battery")
    assert not user.is_staff


def test_without_one_the_owner_cannot_sign_in() -> None:
    bootstrap()

    assert not Membership.objects.get().user.has_usable_password()


def test_a_member_gets_a_key_of_their_own_that_may_do_what_they_may() -> None:
    bootstrap()
    acme = Membership.objects.get().organization
    viewer = make.membership(organization=acme, role=Role.VIEWER)

    key, beside = bootstrap("--new-key", email=viewer.user.email)

    me = make.client(key).get("/api/v1/me/").json()
    assert (me["organization"]["id"], me["role"]) == (str(acme.id), "viewer")
    assert "Viewer" in beside


def test_a_second_organization_of_the_same_name_is_made_only_when_asked_for() -> None:
    bootstrap()

    with pytest.raises(CommandError, match="--another"):
        bootstrap(email="bo@example.org")
    assert Membership.objects.count() == 1

    bootstrap("--another", email="bo@example.org")
    assert Membership.objects.filter(organization__name="Acme").count() == 2


@pytest.mark.parametrize(
    "wrong", [{"email": "nonsense"}, {"more": ("--password", "short")}, {"organization": " "}]
)
def test_nonsense_makes_nothing(wrong: dict[str, object]) -> None:
    more = wrong.pop("more", ())

    with pytest.raises(CommandError):
        bootstrap(*more, **wrong)  # type: ignore[misc, arg-type]
    assert not Membership.objects.exists()
