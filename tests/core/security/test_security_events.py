"""Security events outlive the request that caused them, and hold no secrets."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from core.monitoring.requests import bound_to_request
from core.security.middleware import SecurityEvents
from core.security.models import SecurityEvent, Severity
from core.security.services import kept_past_rollback, record_security_event
from tests import make


class Undo(Exception):
    pass


@pytest.mark.django_db
def test_an_event_says_what_who_where_and_in_which_request() -> None:
    member = make.membership()

    with bound_to_request("request-0001"):
        record_security_event(
            kind="signature.invalid",
            severity=Severity.CRITICAL,
            organization_id=member.organization_id,
            user_id=member.user_id,
            ip="2001:db8::1",
            data={"endpoint": "inbound"},
        )

    event = SecurityEvent.objects.get()
    assert (event.kind, event.severity, event.ip) == (
        "signature.invalid",
        "critical",
        "2001:db8::1",
    )
    assert (event.user, event.organization) == (member.user, member.organization)
    assert (event.request_id, event.data) == ("request-0001", {"endpoint": "inbound"})


@pytest.mark.django_db
def test_secrets_are_hidden_before_they_are_stored() -> None:
    key = make.api_key()

    record_security_event(kind="test", data={"sent": f"Bearer {key}", "password": "x", "n": 1})

    data = SecurityEvent.objects.get(kind="test").data
    assert key[12:] not in str(data)
    assert (data["password"], data["n"]) == ("[hidden]", 1)


@pytest.mark.django_db(transaction=True)
def test_what_a_request_recorded_survives_its_rollback() -> None:
    def view(_request: HttpRequest) -> HttpResponse:
        try:
            with transaction.atomic():
                make.organization(name="undone")
                record_security_event(kind="refused")
                raise Undo
        except Undo:
            return HttpResponse(status=403)

    answer = SecurityEvents(view)(RequestFactory().get("/"))

    assert answer.status_code == 403
    assert [event.kind for event in SecurityEvent.objects.all()] == ["refused"]


@pytest.mark.django_db(transaction=True)
def test_what_is_only_true_if_it_commits_goes_with_the_rollback() -> None:
    with kept_past_rollback(), suppress(Undo), transaction.atomic():
        record_security_event(kind="changed", outlives_rollback=False)
        raise Undo

    assert not SecurityEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_row_that_was_rolled_back_costs_its_own_event_only() -> None:
    with kept_past_rollback(), suppress(Undo), transaction.atomic():
        record_security_event(kind="of the undone", organization_id=make.organization().id)
        record_security_event(kind="of nobody")
        raise Undo

    assert [event.kind for event in SecurityEvent.objects.all()] == ["of nobody"]


@pytest.mark.django_db
def test_the_record_stays_when_the_person_goes() -> None:
    person = make.user()
    record_security_event(kind="test", user_id=person.id)

    person.delete()

    assert SecurityEvent.objects.get(kind="test").user is None


@pytest.mark.django_db
def test_staff_read_them_and_change_nothing(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    staff = make.user()
    staff.is_staff = staff.is_superuser = True
    staff.save()
    client.force_login(staff)
    for _ in range(20):
        record_security_event(kind="test", user_id=make.membership().user_id)
    event = SecurityEvent.objects.latest("created_at")
    url = "/admin/core/securityevent/"

    with django_assert_max_num_queries(12):
        assert client.get(url).status_code == 200
    assert client.get(f"{url}{event.pk}/change/").status_code == 200
    assert client.get(f"{url}add/").status_code == 403
    assert client.post(f"{url}{event.pk}/delete/", {"post": "yes"}).status_code == 403
    assert SecurityEvent.objects.filter(pk=event.pk).exists()
