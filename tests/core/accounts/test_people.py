"""People and their addresses."""

from __future__ import annotations

import pytest
from django.contrib.auth import authenticate
from django.db import IntegrityError

from core.accounts.models import User
from tests import make

pytestmark = pytest.mark.django_db


def test_a_person_signs_in_with_whatever_case_they_type() -> None:
    person = make.user(email="Ann@Example.org", password="a long enough secret")

    assert person.email == "ann@example.org"
    assert authenticate(username="ANN@example.ORG", password="a long enough secret") == person
    assert authenticate(username="ann@example.org", password="wrong") is None


def test_an_address_belongs_to_one_person_in_whatever_case() -> None:
    make.user(email="ann@example.org")

    with pytest.raises(IntegrityError):
        make.user(email="ANN@example.org")


def test_the_database_refuses_an_address_that_went_around_the_rule() -> None:
    with pytest.raises(IntegrityError):
        User.objects.bulk_create([User(email="Ann@example.org")])


def test_a_person_is_called_by_name_or_else_by_address() -> None:
    named, unnamed = make.user(name="Ann Lee"), make.user(email="bob@example.org")

    assert (named.get_full_name(), named.get_short_name()) == ("Ann Lee", "Ann")
    assert (unnamed.get_full_name(), unnamed.get_short_name()) == ("bob@example.org",) * 2
