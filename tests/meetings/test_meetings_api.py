"""Meetings through the door."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.core.files.storage import default_storage

from core import errors
from core.accounts.models import Role
from core.events.models import Event
from core.files.models import StoredFile
from core.jobs.models import Job
from meetings import queries
from meetings.models import Meeting, Recording, Segment, Transcript
from meetings.services import meetings as meeting_services
from tests import make
from tests.run_jobs import run_jobs
from tests.storage import files_below

pytestmark = pytest.mark.django_db

URL = "/api/v1/meetings/"


def test_a_meeting_is_entered_read_and_changed() -> None:
    actor = make.actor(role=Role.MEMBER)
    client = make.client(actor)
    answer = client.post(
        URL,
        {
            "title": "Budget",
            "starts_at": "2026-11-20T09:00:00Z",
            "ends_at": "2026-11-20T10:00:00Z",
            "platform": "room 4",
            "language": "en",
            "tags": ["money", "q4"],
        },
    )
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert made["organizer"]["email"] == actor.user.email
    assert (made["revision"], made["status"], made["tags"]) == (1, "held", ["money", "q4"])

    changed = client.patch(f"{URL}{made['id']}/", {"title": "Budget 2027"})
    assert changed.status_code == 200
    read = client.get(f"{URL}{made['id']}/").json()
    assert (read["title"], read["revision"], read["recordings"]) == ("Budget 2027", 2, [])
    assert list(Event.objects.order_by("id").values_list("type", flat=True)) == [
        "meeting.created",
        "meeting.updated",
    ]


def test_the_list_is_newest_first_and_paged_by_cursor() -> None:
    actor = make.actor()
    rows = [make.meeting(organization=actor.organization) for _ in range(25)]
    client = make.client(actor)
    first = client.get(URL).json()
    second = client.get(first["next"]).json()
    titles = [row["title"] for row in first["results"] + second["results"]]
    assert titles == [row.title for row in reversed(rows)]
    assert (len(first["results"]), first["previous"], second["next"]) == (20, None, None)
    assert client.get(second["previous"]).json()["results"] == first["results"]


def test_the_list_is_narrowed_by_status_team_and_tag() -> None:
    actor = make.actor()
    team = make.team(organization=actor.organization)
    make.meeting(organization=actor.organization)
    make.meeting(organization=actor.organization, status="cancelled", team=team, tags=["x"])
    client = make.client(actor)
    for query in (
        "status=cancelled",
        f"team={team.id}",
        "tag=x",
        "created_after=2020-01-01T00:00Z",
    ):
        count = len(client.get(f"{URL}?{query}").json()["results"])
        assert count == (2 if "created" in query else 1), query
    assert client.get(f"{URL}?status=nonsense").status_code == 400


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "title"),
        ({"title": ""}, "title"),
        ({"title": "x" * 301}, "title"),
        ({"title": "x", "status": "gone"}, "status"),
        ({"title": "x", "colour": "blue"}, "colour"),
        ({"title": "x", "revision": 7}, "revision"),
        ({"title": "x", "tags": ["y" * 61]}, "tags.0"),
        ({"title": "x", "team": "01a20120-0000-7000-8000-000000000000"}, "team"),
        (
            {"title": "x", "starts_at": "2026-11-20T10:00Z", "ends_at": "2026-11-20T09:00Z"},
            "ends_at",
        ),
        ({"title": "x", "starts_at": "9999-12-31T23:30Z"}, "starts_at"),
        ({"title": "x", "starts_at": "0001-01-01T00:00Z"}, "starts_at"),
        ({"title": "x", "starts_at": "1899-12-31T23:59Z"}, "starts_at"),
        ({"title": "x", "ends_at": "3000-01-01T00:00Z"}, "ends_at"),
    ],
)
def test_what_is_not_valid_is_refused_by_field(body: dict[str, object], field: str) -> None:
    answer = make.client(make.actor()).post(URL, body)
    assert answer.status_code == 400, answer.content
    assert field in answer.json()["fields"]
    assert not Meeting.objects.exists()


def test_text_that_cannot_be_stored_is_refused() -> None:
    answer = make.client(make.actor()).generic(
        "POST", URL, '{"title": "a\\u0000b"}', content_type="application/json"
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "text.invalid_character")


def test_a_viewer_reads_and_does_not_write() -> None:
    actor = make.actor(role=Role.VIEWER)
    meeting = make.meeting(organization=actor.organization)
    client = make.client(actor)
    assert client.get(f"{URL}{meeting.id}/").status_code == 200
    assert client.post(URL, {"title": "x"}).status_code == 403
    assert client.delete(f"{URL}{meeting.id}/").status_code == 403


def test_the_same_post_sent_twice_enters_one_meeting() -> None:
    client = make.client(make.actor())
    first, second = (
        client.post(URL, {"title": "Once"}, headers={"Idempotency-Key": "k1"}) for _ in range(2)
    )
    assert first.json() == second.json()
    assert second["Idempotency-Replayed"] == "true"
    assert Meeting.objects.count() == 1


def test_a_meeting_is_given_only_to_ones_own_team() -> None:
    organization = make.organization()
    mine, other = (make.team(organization=organization) for _ in range(2))
    client = make.client(make.actor(organization=organization, role=Role.MEMBER, teams=(mine,)))
    assert client.post(URL, {"title": "x", "team": str(mine.id)}).status_code == 201
    answer = client.post(URL, {"title": "x", "team": str(other.id)})
    assert (answer.status_code, answer.json()["code"]) == (403, "meeting.team_not_yours")


def test_a_meetings_jobs_follow_it_into_its_team() -> None:
    actor = make.actor()
    team = make.team(organization=actor.organization)
    recording = make.recording(meeting=make.meeting(organization=actor.organization))
    outsider = make.client(make.actor(organization=actor.organization, role=Role.MEMBER))
    address = f"/api/v1/jobs/{recording.job_id}/"
    assert outsider.get(address).status_code == 200
    make.client(actor).patch(f"{URL}{recording.meeting_id}/", {"team": str(team.id)})
    assert outsider.get(address).status_code == 404


def test_a_deleted_meeting_leaves_no_row_no_job_and_no_file(storage: Path) -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    make.transcript(recording=make.recording(meeting=meeting))
    assert len(files_below(storage)) == 1
    assert make.client(actor).delete(f"{URL}{meeting.id}/").status_code == 204
    for model in (Meeting, Recording, Transcript, Segment, StoredFile):
        assert not model.objects.exists(), model
    assert Event.objects.get(type="meeting.deleted").data == {"meeting_id": str(meeting.id)}
    run_jobs()
    assert files_below(storage) == []
    assert [job.kind for job in Job.objects.all()] == ["core.delete_files"]


def test_a_file_that_another_meeting_uses_outlives_the_first(storage: Path) -> None:
    actor = make.actor()
    first, second = (make.meeting(organization=actor.organization) for _ in range(2))
    stored = make.recording(meeting=first).stored_file
    make.recording(meeting=second, with_job=False)
    Recording.objects.filter(meeting=second).update(stored_file=stored)
    StoredFile.objects.filter(id=stored.id).update(references=2)
    make.client(actor).delete(f"{URL}{first.id}/")
    run_jobs()
    stored.refresh_from_db()
    assert stored.references == 1
    assert default_storage.exists(stored.key)


@pytest.mark.parametrize("moment", ["1900-01-01T00:00:00Z", "2999-12-31T23:59:59Z"])
def test_the_first_and_the_last_year_are_taken(moment: str) -> None:
    answer = make.client(make.actor()).post(URL, {"title": "x", "starts_at": moment})
    assert (answer.status_code, answer.json()["starts_at"]) == (201, moment)


@pytest.mark.parametrize(
    ("moment", "zone"),
    [
        (datetime(9999, 12, 31, 23, 30, tzinfo=UTC), "Europe/Stockholm"),
        (datetime(1, 1, 1, 0, 30, tzinfo=UTC), "America/New_York"),
    ],
)
def test_a_meeting_at_the_end_of_the_calendar_has_no_day(moment: datetime, zone: str) -> None:
    meeting = make.meeting(organization=make.organization(time_zone=zone), starts_at=moment)
    assert queries.held_on(meeting) is None
    meeting.starts_at = datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert queries.held_on(meeting) == date(2026, 11, 20)


def test_who_lost_sight_of_a_meeting_meanwhile_cannot_delete_it() -> None:
    organization = make.organization()
    actor = make.actor(organization=organization, role=Role.MEMBER)
    meeting = make.meeting(organization=organization)
    Meeting.objects.update(team=make.team(organization=organization))
    with pytest.raises(errors.NotFound):
        meeting_services.delete_meeting(actor=actor, meeting=meeting)
    assert Meeting.objects.get().id == meeting.id
