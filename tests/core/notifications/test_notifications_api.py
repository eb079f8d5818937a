"""Everybody reads their own notifications, and chooses what they want to hear."""

from __future__ import annotations

import pytest

from core.accounts.models import Role
from core.notifications.models import Notification
from tests import make

pytestmark = pytest.mark.django_db

LIST = "/api/v1/notifications/"
PREFERENCES = "/api/v1/notification-preferences/"


def test_one_reads_ones_own_notifications_newest_first() -> None:
    who = make.actor(role=Role.VIEWER)
    older = make.notification(user=who.user, organization=who.organization, text="Why.")
    newer = make.notification(user=who.user, organization=who.organization)
    found = make.client(who).get(LIST).json()["results"]
    assert [row["id"] for row in found] == [str(newer.id), str(older.id)]
    assert found[1]["text"] == "Why."
    assert found[0]["read_at"] is None


def test_nobody_reads_anothers_not_even_an_owner() -> None:
    member = make.actor(role=Role.MEMBER)
    row = make.notification(user=member.user, organization=member.organization)
    owner = make.client(make.actor(organization=member.organization))
    assert owner.get(LIST).json()["results"] == []
    assert owner.get(f"{LIST}{row.id}/").status_code == 404
    assert owner.patch(f"{LIST}{row.id}/", {"is_read": True}, format="json").status_code == 404


def test_what_concerns_another_organization_is_not_shown_in_this_one() -> None:
    who = make.actor()
    elsewhere = make.membership(user=who.user)
    make.notification(user=who.user, organization=elsewhere.organization)
    assert make.client(who).get(LIST).json()["results"] == []


def test_one_is_marked_as_read_and_as_new_again() -> None:
    who = make.actor(role=Role.VIEWER)
    row = make.notification(user=who.user, organization=who.organization)
    caller = make.client(who)
    answer = caller.patch(f"{LIST}{row.id}/", {"is_read": True}, format="json")
    assert answer.status_code == 200
    assert answer.json()["read_at"] is not None
    assert caller.get(LIST, {"unread": "true"}).json()["results"] == []
    again = caller.patch(f"{LIST}{row.id}/", {"is_read": False}, format="json")
    assert again.json()["read_at"] is None
    assert len(caller.get(LIST, {"unread": "true"}).json()["results"]) == 1


def test_all_are_marked_as_read_at_once() -> None:
    who = make.actor()
    for _ in range(3):
        make.notification(user=who.user, organization=who.organization)
    other = make.actor(organization=who.organization)
    make.notification(user=other.user, organization=who.organization)
    caller = make.client(who)
    assert caller.post(f"{LIST}read/").json() == {"marked": 3}
    assert caller.post(f"{LIST}read/").json() == {"marked": 0}
    assert Notification.objects.unread().count() == 1


@pytest.mark.parametrize("body", ["{", "\x00", '{"all": true}', "[" * 5000])
def test_marking_all_takes_no_other_body(body: str) -> None:
    answer = make.client(make.actor()).generic(
        "POST", f"{LIST}read/", body, content_type="application/json"
    )
    assert answer.status_code == 400
    assert answer.json()["code"]


def test_lists_are_filtered_by_kind() -> None:
    who = make.actor()
    make.notification(user=who.user, organization=who.organization)
    caller = make.client(who)
    assert len(caller.get(LIST, {"kind": "job.failed"}).json()["results"]) == 1
    assert caller.get(LIST, {"kind": "export.ready"}).json()["results"] == []


@pytest.mark.parametrize("body", [{}, {"is_read": "perhaps"}, {"title": "Mine"}, []])
def test_nothing_else_of_a_notification_can_be_changed(body: object) -> None:
    who = make.actor()
    row = make.notification(user=who.user, organization=who.organization)
    answer = make.client(who).patch(f"{LIST}{row.id}/", body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_every_kind_is_wanted_in_both_ways_until_one_chooses() -> None:
    who = make.actor(role=Role.VIEWER)
    caller = make.client(who)
    for shown in caller.get(PREFERENCES).json():
        assert (shown["in_app"], shown["email"]) == (True, True)
        assert shown["description"].endswith(".")
    answer = caller.patch(f"{PREFERENCES}job.failed/", {"email": False}, format="json")
    assert (answer.status_code, answer.json()["email"]) == (200, False)
    assert answer.json()["in_app"] is True
    chosen = {shown["kind"]: shown["email"] for shown in caller.get(PREFERENCES).json()}
    assert chosen.pop("job.failed") is False
    assert all(chosen.values())


def test_one_persons_choice_is_nobody_elses() -> None:
    who = make.actor()
    make.client(who).patch(f"{PREFERENCES}job.failed/", {"email": False}, format="json")
    other = make.client(make.actor(organization=who.organization))
    assert all(shown["email"] for shown in other.get(PREFERENCES).json())


def test_a_kind_that_nobody_declared_cannot_be_chosen() -> None:
    answer = make.client(make.actor()).patch(
        f"{PREFERENCES}weather.changed/", {"email": True}, format="json"
    )
    assert answer.status_code == 404


@pytest.mark.parametrize("body", [{"email": "loud"}, {"kind": "x"}, {"sms": True}])
def test_a_choice_that_makes_no_sense_is_refused(body: object) -> None:
    answer = make.client(make.actor()).patch(f"{PREFERENCES}job.failed/", body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
