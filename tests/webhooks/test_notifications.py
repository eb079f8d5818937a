"""Owners and admins are notified once of a disabled endpoint."""

from __future__ import annotations

import pytest
from django.core import mail

from core.accounts.models import Role
from core.db.clock import database_now
from core.notifications.models import Notification
from tests import make
from tests.run_jobs import run_jobs
from webhooks.models import DisabledReason
from webhooks.services import endpoints

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (DisabledReason.GONE, "gone for good (410)"),
        (DisabledReason.FAILING, "Nothing but failures"),
    ],
)
def test_owners_and_admins_are_notified_of_a_disabled_endpoint(
    reason: DisabledReason, words: str
) -> None:
    organization = make.organization()
    people = {
        role: make.membership(organization=organization, role=role).user
        for role in (Role.OWNER, Role.ADMIN, Role.MEMBER)
    }
    make.membership(role=Role.OWNER)
    url = "https://hooks.example.org/T/very-secret?token=more"
    held = make.endpoint(organization=organization, url=url, failing_since=database_now())

    endpoints.disable_endpoint(endpoint=held, reason=reason)
    run_jobs()

    told = {people[Role.OWNER].email, people[Role.ADMIN].email}
    assert {letter.to[0] for letter in mail.outbox} == told
    letter = mail.outbox[0]
    assert letter.subject == "Nothing is sent to https://hooks.example.org any more"
    assert words in letter.body
    assert f"/api/v1/webhooks/endpoints/{held.id}/enable/" in letter.body
    assert "secret" not in letter.body
    assert Notification.objects.filter(subject_id=held.id).count() == 2


def test_no_notification_for_an_endpoint_disabled_by_a_person_or_enabled_again() -> None:
    make.membership(organization=(organization := make.organization()))
    by_hand, mended = (make.endpoint(organization=organization) for _ in range(2))

    endpoints.disable_endpoint(endpoint=by_hand, reason=DisabledReason.BY_HAND)
    endpoints.disable_endpoint(endpoint=mended, reason=DisabledReason.GONE)
    endpoints.enable_endpoint(endpoint=mended)
    run_jobs()

    assert mail.outbox == []


def test_notifications_are_deleted_with_their_endpoint() -> None:
    make.membership(organization=(organization := make.organization()), role=Role.OWNER)
    held, other = (make.endpoint(organization=organization) for _ in range(2))
    for one in (held, other):
        endpoints.disable_endpoint(endpoint=one, reason=DisabledReason.GONE)
    run_jobs()

    endpoints.delete_endpoint(endpoint=held)

    assert {one.subject_id for one in Notification.objects.all()} == {other.id}
