"""A date or time without a zone is the organization's, wherever it is given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.accounts.actor import Actor
from core.db.clock import database_now
from core.http.times import to_utc
from tests import make

pytestmark = pytest.mark.django_db

LOS_ANGELES = ZoneInfo("America/Los_Angeles")
MIDNIGHT = datetime(2026, 11, 30, 8, tzinfo=UTC)  # in Los Angeles


@pytest.fixture
def actor() -> Actor:
    return make.actor(organization=make.organization(time_zone="America/Los_Angeles"))


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("2026-11-30", "2026-11-30T08:00:00Z"),
        ("2026-11-30T09:30", "2026-11-30T17:30:00Z"),
        ("2026-11-30T09:30Z", "2026-11-30T09:30:00Z"),
        ("2026-11-30T09:30+01:00", "2026-11-30T08:30:00Z"),
        ("2026-03-08T02:30", "2026-03-08T10:30:00Z"),  # skipped: half past three of summer time
        ("2026-11-01T01:30", "2026-11-01T08:30:00Z"),  # twice: the first, of summer time
    ],
)
def test_time_in_a_body_is_read_in_the_organizations_zone(
    given: str, read: str, actor: Actor
) -> None:
    answer = make.client(actor).post("/api/v1/meetings/", {"title": "x", "starts_at": given})
    assert (answer.status_code, answer.json()["starts_at"]) == (201, read)


def test_midnight_that_is_skipped_is_the_first_moment_of_the_day() -> None:
    santiago = ZoneInfo("America/Santiago")
    read = to_utc(datetime(2026, 9, 6), santiago)  # noqa: DTZ001
    assert read.astimezone(santiago).isoformat() == "2026-09-06T01:00:00-03:00"


@pytest.mark.parametrize("name", ["meetings", "recordings", "exports"])
def test_filter_is_read_in_the_organizations_zone(name: str, actor: Actor) -> None:
    meeting = make.meeting(organization=actor.organization)
    export, recording = make.export(meeting=meeting), make.recording(meeting=meeting)
    for row in (meeting, export, recording):
        type(row)._default_manager.filter(id=row.id).update(created_at=MIDNIGHT)
    client = make.client(actor)

    def count(**query: str) -> int:
        return len(client.get(f"/api/v1/{name}/", query).json()["results"])

    assert count(created_before="2026-11-30") == 0
    assert count(created_before="2026-11-30T00:01") == 1
    assert count(created_after="2026-11-29T23:59") == 1
    assert count(created_after="2026-11-30T00:01Z") == 1


@pytest.mark.parametrize("given", ["tomorrow", "2026-13-01", "0001-01-01T00:00+10:00", "2026"])
def test_unreadable_time_is_refused(given: str, actor: Actor) -> None:
    client = make.client(actor)
    assert client.get("/api/v1/meetings/", {"created_after": given}).status_code == 400
    body = {"title": "x", "starts_at": given}
    assert "starts_at" in client.post("/api/v1/meetings/", body).json()["fields"]


def test_times_of_keys_and_webhooks_are_read_in_the_organizations_zone(actor: Actor) -> None:
    client = make.client(actor)
    key = {"name": "k", "expires_at": "2036-11-30T00:00"}
    assert client.post("/api/v1/api-keys/", key).json()["expires_at"] == "2036-11-30T08:00:00Z"

    endpoint = make.endpoint(organization=actor.organization)
    make.delivery(endpoint=endpoint, status="dead", next_attempt_at=None, ended_at=database_now())
    soon = (database_now() + timedelta(minutes=1)).astimezone(LOS_ANGELES).replace(tzinfo=None)
    sooner = soon - timedelta(minutes=2)
    replay = "/api/v1/webhooks/deliveries/replay/"
    assert client.post(replay, {"created_before": sooner.isoformat()}).json()["replayed"] == 0
    assert client.post(replay, {"created_before": soon.isoformat()}).json()["replayed"] == 1
