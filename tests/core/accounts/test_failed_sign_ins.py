"""Failed sign-ins become security events."""

from __future__ import annotations

import pytest
from django.test import Client

from core.security.models import SecurityEvent
from tests import make

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
TYPED = "a password typed into the wrong field"


@pytest.mark.parametrize("page", ["/sign-in/", "/admin/login/"])
def test_wrong_password_is_recorded_with_person_and_address(page: str) -> None:
    person = make.user(password=PASSWORD, is_staff=True)
    form = {"username": person.email.upper(), "password": TYPED}

    answer = Client().post(page, form, REMOTE_ADDR="192.0.2.7")

    assert answer.status_code == 200
    event = SecurityEvent.objects.get(kind="sign_in.failed")
    assert (event.user, event.ip, event.severity) == (person, "192.0.2.7", "warning")
    assert event.data == {"reason": "wrong password"}


def test_unknown_address_is_recorded_as_a_hash() -> None:
    for address in (TYPED, TYPED, "another@example.org"):
        Client().post("/sign-in/", {"username": address, "password": PASSWORD})

    first, second, other = SecurityEvent.objects.filter(kind="sign_in.failed").order_by("id")
    assert first.user is None
    assert first.data == second.data != other.data
    assert TYPED not in str(first.data)
    assert PASSWORD not in str(first.data)


def test_successful_sign_in_is_no_security_event() -> None:
    person = make.user(password=PASSWORD)

    Client().post("/sign-in/", {"username": person.email, "password": PASSWORD})

    assert not SecurityEvent.objects.exists()
