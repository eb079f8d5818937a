"""A meeting keeps the zone it is held in, and its dates are of that zone."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from core.accounts.actor import Actor
from core.db.clock import database_now
from core.events.models import Event
from core.relay import chores
from exports.queries import minutes_of
from exports.renderers.formats import filename_of
from meetings.models import ActionItem, Meeting
from tests import make
from tests.meetings.recordings import JFK
from tests.meetings.work import send_bytes
from tests.run_jobs import run_jobs

pytestmark = pytest.mark.django_db

URL = "/api/v1/meetings/"


@pytest.fixture
def actor() -> Actor:
    return make.actor(organization=make.organization(time_zone="Europe/Stockholm"))


def entered(actor: Actor, **fields: Any) -> dict[str, Any]:
    answer = make.client(actor).post(URL, {"title": "Weekly", **fields})
    assert answer.status_code == 201, answer.content
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize(
    ("fields", "zone", "starts_at"),
    [
        ({"starts_at": "2026-11-30T09:00"}, "Europe/Stockholm", "2026-11-30T08:00:00Z"),
        ({"starts_at": "2026-11-30T09:00Z"}, "Europe/Stockholm", "2026-11-30T09:00:00Z"),
        ({"starts_at": "2026-11-30T09:00+00:00"}, "Europe/Stockholm", "2026-11-30T09:00:00Z"),
        ({"starts_at": "2026-11-30T09:00+01:00"}, "Europe/Stockholm", "2026-11-30T08:00:00Z"),
        ({"starts_at": "2026-11-30T09:00+05:30"}, "+05:30", "2026-11-30T03:30:00Z"),
        ({"starts_at": "2026-11-30T09:00-0330"}, "-03:30", "2026-11-30T12:30:00Z"),
        (
            {"starts_at": "2026-11-30T09:00", "time_zone": "Asia/Tokyo"},
            "Asia/Tokyo",
            "2026-11-30T00:00:00Z",
        ),
        (
            {"starts_at": "2026-11-30T09:00+01:00", "time_zone": "Asia/Tokyo"},
            "Asia/Tokyo",
            "2026-11-30T08:00:00Z",
        ),
        ({}, "Europe/Stockholm", None),
    ],
)
def test_zone_is_the_given_one_or_that_of_the_start_or_the_organizations(
    fields: dict[str, str], zone: str, starts_at: str | None, actor: Actor
) -> None:
    meeting = entered(actor, **fields)
    assert (meeting["time_zone"], meeting["starts_at"]) == (zone, starts_at)


def test_changed_time_is_read_where_the_meeting_is_held(actor: Actor) -> None:
    client = make.client(actor)
    meeting = entered(actor, starts_at="2026-11-30T09:00", time_zone="Asia/Tokyo")

    def changed(**fields: str) -> tuple[str, str]:
        answer = client.patch(f"{URL}{meeting['id']}/", fields).json()
        return answer["starts_at"], answer["time_zone"]

    assert changed(starts_at="2026-12-01T09:00") == ("2026-12-01T00:00:00Z", "Asia/Tokyo")
    assert changed(time_zone="+02:00") == ("2026-12-01T00:00:00Z", "+02:00")
    assert changed(title="Moved") == ("2026-12-01T00:00:00Z", "+02:00")
    assert changed(starts_at="2026-12-01T09:00+01:00")[1] == "Europe/Stockholm"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "+25:00", "+2", "", "../etc/passwd", 5, None])
def test_unknown_zone_is_refused(zone: Any, actor: Actor) -> None:
    body = {"title": "x", "starts_at": "2026-11-30T09:00", "time_zone": zone}
    answer = make.client(actor).post(URL, body)
    assert (answer.status_code, [*answer.json()["fields"]]) == (400, ["time_zone"])


def test_dates_of_a_meeting_are_of_its_zone(actor: Actor) -> None:
    """In Los Angeles it is still the 30th when it is the 1st in Stockholm."""
    sent = entered(actor, starts_at="2026-11-30T21:00-08:00", time_zone="America/Los_Angeles")
    client, meeting = make.client(actor), Meeting.objects.get(id=sent["id"])
    said = [{"speaker": "Anna", "text": "Anna will send the draft by tomorrow."}]
    text = {"language": "en", "segments": said}
    assert client.post(f"{URL}{meeting.id}/transcript/", text).status_code == 201
    run_jobs()
    assert ActionItem.objects.get().due_on == date(2026, 12, 1)

    minutes = minutes_of(meeting)
    assert minutes.starts_at is not None
    assert minutes.starts_at.isoformat() == "2026-11-30T21:00:00-08:00"
    assert minutes.time_zone == "America/Los_Angeles"
    assert "2026-11-30" in filename_of(minutes, "txt")


def test_meeting_in_the_future_is_scheduled_until_it_is_over(actor: Actor) -> None:
    soon = database_now() + timedelta(hours=1)
    meeting = entered(actor, starts_at=soon.isoformat())
    assert meeting["status"] == "scheduled"
    client = make.client(actor)
    address = f"{URL}{meeting['id']}/"
    past = (soon - timedelta(hours=3)).isoformat()
    assert client.patch(address, {"starts_at": past}).json()["status"] == "held"
    assert client.patch(address, {"status": "cancelled"}).json()["status"] == "cancelled"
    assert client.patch(address, {"starts_at": soon.isoformat()}).json()["status"] == "cancelled"
    assert entered(actor, starts_at=soon.isoformat(), status="held")["status"] == "held"


def test_scheduled_meeting_whose_time_is_over_becomes_held(actor: Actor) -> None:
    hour_ago, later = database_now() - timedelta(hours=1), database_now() + timedelta(hours=1)
    common: dict[str, Any] = {"organization": actor.organization, "status": "scheduled"}
    over = make.meeting(**common, starts_at=hour_ago)
    under_way = make.meeting(**common, starts_at=hour_ago, ends_at=later)
    chores.run_all()
    for meeting, status in ((over, "held"), (under_way, "scheduled")):
        meeting.refresh_from_db()
        assert meeting.status == status
    assert Event.objects.get(type="meeting.updated").data == {
        "meeting_id": str(over.id),
        "revision": 2,
    }


def test_scheduled_meeting_with_a_recording_is_held(actor: Actor) -> None:
    meeting = make.meeting(organization=actor.organization, status="scheduled")
    assert send_bytes(make.client(actor), meeting, JFK.read_bytes()).status_code == 202
    meeting.refresh_from_db()
    assert meeting.status == "held"
