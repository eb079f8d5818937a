"""Decisions and action items across meetings, and what people do with them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from core.accounts.actor import Actor
from core.accounts.models import Role, Team
from core.db.rows import new_id
from core.events.models import Event
from meetings.models import ActionItem, Analysis, Decision, Meeting
from tests import make

pytestmark = pytest.mark.django_db

DECISIONS = "/api/v1/decisions/"
ITEMS = "/api/v1/action-items/"
LISTS = (DECISIONS, ITEMS)


def analysis(actor: Actor, team: Team | None = None) -> Analysis:
    """One without items yet."""
    meeting = make.meeting(organization=actor.organization, team=team)
    row = make.analysis(transcript=make.transcript(recording=make.recording(meeting=meeting)))
    for kind in (Decision, ActionItem):
        kind.objects.filter(analysis=row).delete()
    return row


def test_a_decision_is_shown_with_the_words_it_rests_on() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    make.analysis(transcript=make.transcript(recording=make.recording(meeting=meeting)))
    client = make.client(actor)
    found = client.get(DECISIONS).json()["results"]
    assert len(found) == 1
    shown = found[0]
    assert (shown["text"], shown["status"], shown["confidence"]) == ("Blue it is.", "draft", 0.8)
    assert shown["meeting"] == str(meeting.id)
    assert [(e["quote"], e["start_ms"], e["verified"]) for e in shown["evidence"]] == [
        ("Hello.", 0, True)
    ]
    assert client.get(f"{DECISIONS}{shown['id']}/").json() == shown


@pytest.mark.parametrize("url", LISTS)
def test_the_lists_are_newest_first_and_paged_by_cursor(url: str) -> None:
    actor = make.actor()
    found = analysis(actor)
    create = make.decision if url == DECISIONS else make.action_item
    rows = [create(analysis=found) for _ in range(25)]
    client = make.client(actor)
    first = client.get(url).json()
    second = client.get(first["next"]).json()
    ids = [row["id"] for row in first["results"] + second["results"]]
    assert ids == [str(row.id) for row in reversed(rows)]
    assert second["next"] is None


def test_action_items_are_narrowed_by_owner_due_date_status_meeting_team_and_completion() -> None:
    actor = make.actor()
    team = make.team(organization=actor.organization)
    mine, teams = analysis(actor), analysis(actor, team)
    make.action_item(analysis=mine)
    wanted = make.action_item(
        analysis=teams,
        owner=actor.user,
        owner_name="Anna Smith",
        due_on=date(2026, 11, 27),
        status="confirmed",
        completed_at="2026-11-22T10:00:00Z",
    )
    client = make.client(actor)
    for query in (
        f"owner={actor.user.id}",
        "owner_name=smith",
        "due_after=2026-11-27",
        "due_before=2026-11-28",
        "status=confirmed",
        f"meeting={teams.meeting_id}",
        f"team={team.id}",
        "completed=true",
    ):
        found = client.get(f"{ITEMS}?{query}").json()["results"]
        assert [row["id"] for row in found] == [str(wanted.id)], query
    for query in ("due_before=2026-11-27", "due_after=2026-11-28", f"owner={team.id}"):
        assert client.get(f"{ITEMS}?{query}").json()["results"] == [], query
    assert len(client.get(f"{ITEMS}?completed=false").json()["results"]) == 1
    for query in ("status=nonsense", "due_after=friday", "owner=x"):
        assert client.get(f"{ITEMS}?{query}").status_code == 400, query


def test_decisions_are_narrowed_by_status_meeting_and_team() -> None:
    actor = make.actor()
    team = make.team(organization=actor.organization)
    make.decision(analysis=analysis(actor))
    found = analysis(actor, team)
    wanted = make.decision(analysis=found, status="dismissed")
    client = make.client(actor)
    queries = ("status=dismissed", f"meeting={found.meeting_id}", f"team={team.id}")
    for query in queries:
        rows = client.get(f"{DECISIONS}?{query}").json()["results"]
        assert [row["id"] for row in rows] == [str(wanted.id)], query
    assert len(client.get(f"{DECISIONS}?created_after=2020-01-01T00:00Z").json()["results"]) == 2


def test_confirming_a_decision_is_told_once() -> None:
    actor = make.actor(role=Role.MEMBER)
    found = analysis(actor)
    decision = make.decision(analysis=found)
    client = make.client(actor)
    for _ in range(2):
        answer = client.patch(f"{DECISIONS}{decision.id}/", {"status": "confirmed"})
        assert (answer.status_code, answer.json()["status"]) == (200, "confirmed")
    event = Event.objects.get(type="decision.confirmed")
    assert event.data == {"meeting_id": str(found.meeting_id), "decision_id": str(decision.id)}
    assert event.actor_id == actor.user.id
    found.meeting.refresh_from_db()
    assert found.meeting.revision == 2, "the second time changed nothing"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"text": "Red it is."}, "edited"),
        ({"text": "Blue it is."}, "draft"),
        ({"status": "dismissed"}, "dismissed"),
        ({"status": "draft"}, "draft"),
        ({"text": "Red it is.", "status": "confirmed"}, "confirmed"),
        ({}, "draft"),
    ],
)
def test_other_words_make_a_decision_edited(change: dict[str, str], status: str) -> None:
    actor = make.actor()
    decision = make.decision(analysis=analysis(actor))
    answer = make.client(actor).patch(f"{DECISIONS}{decision.id}/", change)
    assert answer.json()["status"] == status
    decision.refresh_from_db()
    assert (decision.text, decision.found_text) == (
        change.get("text", "Blue it is."),
        "Blue it is.",
    )


def test_an_action_item_gets_an_owner_a_day_and_an_end() -> None:
    actor = make.actor()
    found = analysis(actor)
    item = make.action_item(analysis=found, due_phrase="by Friday")
    client = make.client(actor)
    url = f"{ITEMS}{item.id}/"
    change = {"owner": str(actor.user.id), "due_on": "2026-12-01", "owner_name": "Me"}
    shown = client.patch(url, change).json()
    assert (shown["owner"]["id"], shown["owner_name"]) == (str(actor.user.id), "Me")
    assert (shown["due_on"], shown["due_phrase"], shown["status"]) == (
        "2026-12-01",
        "by Friday",
        "edited",
    )
    done = client.patch(url, {"completed": True}).json()
    assert done["completed_at"] is not None
    assert client.patch(url, {"completed": True}).json()["completed_at"] == done["completed_at"]
    event = Event.objects.get(type="action_item.completed")
    assert event.data == {"meeting_id": str(found.meeting_id), "action_item_id": str(item.id)}
    assert client.patch(url, {"completed": False}).json()["completed_at"] is None
    assert client.patch(url, {"owner": None, "due_on": None}).json()["owner"] is None


def test_what_is_done_was_no_draft() -> None:
    actor = make.actor()
    item = make.action_item(analysis=analysis(actor))
    shown = make.client(actor).patch(f"{ITEMS}{item.id}/", {"completed": True}).json()
    assert shown["status"] == "confirmed"


@pytest.mark.parametrize(
    ("url", "change", "field"),
    [
        (DECISIONS, {"text": ""}, "text"),
        (DECISIONS, {"text": "x" * 5001}, "text"),
        (DECISIONS, {"status": "edited"}, "status"),
        (DECISIONS, {"confidence": 1.0}, "confidence"),
        (ITEMS, {"due_on": "soon"}, "due_on"),
        (ITEMS, {"completed": "perhaps"}, "completed"),
        (ITEMS, {"completed_at": "2026-11-22T10:00:00Z"}, "completed_at"),
        (ITEMS, {"owner": str(new_id())}, "owner"),
        (ITEMS, {"owner": "x"}, "owner"),
        (ITEMS, {"owner_name": "x" * 201}, "owner_name"),
    ],
)
def test_what_is_not_valid_is_refused_by_field(
    url: str, change: dict[str, Any], field: str
) -> None:
    actor = make.actor()
    found = analysis(actor)
    create = make.decision if url == DECISIONS else make.action_item
    answer = make.client(actor).patch(f"{url}{create(analysis=found).id}/", change)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid"), answer.content
    assert list(answer.json()["fields"]) == [field]


def test_somebody_of_another_organization_cannot_own_an_item() -> None:
    actor = make.actor()
    item = make.action_item(analysis=analysis(actor))
    stranger = make.actor()
    answer = make.client(actor).patch(f"{ITEMS}{item.id}/", {"owner": str(stranger.user.id)})
    assert answer.json()["fields"]["owner"] == ["There is no such thing here."]


@pytest.mark.parametrize("url", LISTS)
def test_viewers_read_and_do_not_write_and_strangers_see_nothing(url: str) -> None:
    actor = make.actor()
    found = analysis(actor)
    create = make.decision if url == DECISIONS else make.action_item
    address = f"{url}{create(analysis=found).id}/"
    viewer = make.client(make.actor(organization=actor.organization, role=Role.VIEWER))
    assert viewer.get(address).status_code == 200
    refused = viewer.patch(address, {"status": "confirmed"})
    assert (refused.status_code, refused.json()["code"]) == (403, "role.too_low")
    reader = make.client(make.actor(organization=actor.organization, scopes=("meetings:read",)))
    assert reader.patch(address, {"status": "confirmed"}).json()["code"] == "scope.missing"
    stranger = make.client(make.actor())
    assert stranger.get(address).status_code == 404
    assert stranger.patch(address, {"status": "confirmed"}).status_code == 404
    assert stranger.get(url).json()["results"] == []
    assert make.client(actor).delete(address).status_code == 405
    assert make.client(actor).post(url, {}).status_code == 405


@pytest.mark.parametrize("url", LISTS)
def test_another_teams_items_are_not_there(url: str) -> None:
    actor = make.actor()
    found = analysis(actor, make.team(organization=actor.organization))
    create = make.decision if url == DECISIONS else make.action_item
    address = f"{url}{create(analysis=found).id}/"
    outsider = make.client(make.actor(organization=actor.organization, role=Role.MEMBER))
    assert outsider.get(address).status_code == 404
    assert outsider.patch(address, {"status": "confirmed"}).status_code == 404
    assert outsider.get(f"{url}?meeting={found.meeting_id}").json()["results"] == []


def test_what_changes_nothing_leaves_the_revision_as_it_was() -> None:
    actor = make.actor()
    found = analysis(actor)
    decision, item = make.decision(analysis=found), make.action_item(analysis=found)
    client = make.client(actor)
    same: tuple[dict[str, Any], ...] = ({}, {"status": "draft"}, {"text": decision.text})
    for change in same:
        assert client.patch(f"{DECISIONS}{decision.id}/", change).status_code == 200
    same = ({}, {"completed": False}, {"owner": None, "due_on": None})
    for change in same:
        assert client.patch(f"{ITEMS}{item.id}/", change).status_code == 200
    assert Meeting.objects.get().revision == found.meeting.revision
    for row in (decision, item):
        assert type(row).objects.get(id=row.id).updated_at == row.updated_at


def test_what_is_done_cannot_be_made_a_draft() -> None:
    actor = make.actor()
    item = make.action_item(analysis=analysis(actor))
    client, url = make.client(actor), f"{ITEMS}{item.id}/"
    refused = client.patch(url, {"completed": True, "status": "draft"})
    assert (refused.status_code, refused.json()["code"]) == (409, "item.done_is_no_draft")
    assert client.patch(url, {"completed": True}).json()["status"] == "confirmed"
    refused = client.patch(url, {"status": "draft"})
    assert (refused.status_code, refused.json()["code"]) == (409, "item.done_is_no_draft")
    assert client.get(url).json()["status"] == "confirmed"
    undone = client.patch(url, {"completed": False, "status": "draft"}).json()
    assert (undone["completed_at"], undone["status"]) == (None, "draft")


def test_what_is_not_done_is_not_confirmed_by_that() -> None:
    actor = make.actor()
    found = analysis(actor)
    open_, done = (
        make.action_item(analysis=found, completed_at=at) for at in (None, "2026-11-22T10:00:00Z")
    )
    client = make.client(actor)
    for item in (open_, done):
        shown = client.patch(f"{ITEMS}{item.id}/", {"completed": False}).json()
        assert (shown["completed_at"], shown["status"]) == (None, "draft")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (DECISIONS, {"text": "Red it is."}),
        (ITEMS, {"text": "Paint it red."}),
        (ITEMS, {"due_on": "2026-12-01"}),
        (ITEMS, {"owner_name": "Me"}),
    ],
)
def test_a_persons_words_cannot_be_made_a_draft(url: str, words: dict[str, str]) -> None:
    actor = make.actor()
    found = analysis(actor)
    create = make.decision if url == DECISIONS else make.action_item
    client, address = make.client(actor), f"{url}{create(analysis=found).id}/"
    before = client.get(address).json()
    refused = client.patch(address, {**words, "status": "draft"})
    assert (refused.status_code, refused.json()["code"]) == (400, "item.words_are_no_draft")
    assert client.get(address).json() == before


def test_a_meeting_was_changed_when_what_belongs_to_it_was() -> None:
    actor = make.actor()
    decision = make.decision(analysis=analysis(actor))
    before = Meeting.objects.get()
    make.client(actor).patch(f"{DECISIONS}{decision.id}/", {"status": "confirmed"}, format="json")
    after = Meeting.objects.get()
    assert after.revision == before.revision + 1
    assert after.updated_at > before.updated_at


def test_what_remains_to_be_done_is_neither_done_nor_dismissed() -> None:
    actor = make.actor()
    found = analysis(actor)
    client = make.client(actor)
    left, done, dismissed = (make.action_item(analysis=found) for _ in range(3))
    client.patch(f"{ITEMS}{done.id}/", {"completed": True}, format="json")
    client.patch(f"{ITEMS}{dismissed.id}/", {"status": "dismissed"}, format="json")
    shown = client.get(ITEMS, {"open": "true"}).json()["results"]
    assert [row["id"] for row in shown] == [str(left.id)]
    others = client.get(ITEMS, {"open": "false"}).json()["results"]
    assert {row["id"] for row in others} == {str(done.id), str(dismissed.id)}
