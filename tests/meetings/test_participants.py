"""Participants are given with a meeting, and tasks can be theirs."""

from __future__ import annotations

from typing import Any

import pytest

from core.accounts.actor import Actor
from core.accounts.models import Membership, Role
from exports.queries import minutes_of
from meetings.models import ActionItem, Meeting, Participant
from tests import make
from tests.run_jobs import run_jobs

pytestmark = pytest.mark.django_db

URL = "/api/v1/meetings/"


@pytest.fixture
def actor() -> Actor:
    return make.actor(role=Role.MEMBER)


@pytest.fixture
def anna(actor: Actor) -> Membership:
    user = make.user(email="anna@example.org", name="Anna Berg")
    return make.membership(user=user, organization=actor.organization, role=Role.MEMBER)


def test_participants_are_given_changed_and_shown(actor: Actor, anna: Membership) -> None:
    make.user(email="stranger@example.org", name="Secret")  # a user, and no member here
    client = make.client(actor)
    given = [
        {"name": "Anna B.", "email": "Anna@Example.org", "role": "presenter"},
        {"name": "Ben", "email": "stranger@example.org"},
        {"name": "Cara"},
    ]
    answer = client.post(URL, {"title": "Budget", "participants": given})
    assert answer.status_code == 201, answer.content
    shown = answer.json()
    assert shown["participants"] == [
        {
            "name": "Anna B.",
            "email": "anna@example.org",
            "role": "presenter",
            "user": str(anna.user.id),
        },
        {"name": "Ben", "email": "stranger@example.org", "role": "attendee", "user": None},
        {"name": "Cara", "email": "", "role": "attendee", "user": None},
    ]
    address = f"{URL}{shown['id']}/"
    detail = client.get(address).json()
    assert detail["participants"] == shown["participants"]
    assert [(p["name"], p["part"]) for p in detail["people"]] == [
        (actor.user.get_full_name(), "organizer"),
        *((p["name"], "participant") for p in given),
    ]
    assert client.patch(address, {"title": "New"}).json()["participants"] == shown["participants"]
    changed = client.patch(address, {"participants": [{"name": "Dora"}]}).json()
    assert [p["name"] for p in changed["participants"]] == ["Dora"]
    assert changed["revision"] == 3
    assert Participant.objects.count() == 1


@pytest.mark.parametrize("method", ["post", "patch"])
@pytest.mark.parametrize(
    ("participants", "field"),
    [
        ([{"email": "a@example.org"}], "participants.0.name"),
        ([{"name": " "}], "participants.0.name"),
        ([{"name": "A", "email": "nobody"}], "participants.0.email"),
        ([{"name": "A", "role": "king"}], "participants.0.role"),
        ([{"name": "A", "user": "x"}], "participants.0.user"),
        ([{"name": n, "email": f"{n}@example.org"} for n in "aA"], "participants"),
        ([{"name": "A"}] * 201, "participants"),
        ("Anna", "participants"),
        (None, "participants"),
    ],
)
def test_unreadable_participants_are_refused_by_field(
    participants: Any, field: str, method: str, actor: Actor
) -> None:
    meeting = make.meeting(organization=actor.organization)
    make.participant(meeting=meeting)
    client = make.client(actor)
    body = {"title": "x", "participants": participants}
    address = URL if method == "post" else f"{URL}{meeting.id}/"
    answer = getattr(client, method)(address, body)
    assert answer.status_code == 400, answer.content
    assert any(name.startswith(field) for name in answer.json()["fields"])
    assert (Meeting.objects.count(), Participant.objects.count()) == (1, 1)


def test_task_belongs_to_the_participant_of_that_name(actor: Actor, anna: Membership) -> None:
    twin = make.user(email="other@example.org", name="Anna Berg")  # a name alone names nobody
    make.membership(user=twin, organization=actor.organization, role=Role.MEMBER)
    meeting = make.meeting(organization=actor.organization, organizer=actor.user)
    make.participant(meeting=meeting, name="Anna Berg", user=anna.user)
    make.participant(meeting=meeting, name="Ben")
    said = [
        {"speaker": "Cara", "text": "Anna will send the draft to the board."},
        {"speaker": "BEN", "text": "Good.", "start_ms": 0, "end_ms": 500},
    ]
    text = {"language": "en", "segments": said}
    client = make.client(actor)
    assert client.post(f"{URL}{meeting.id}/transcript/", text).status_code == 201
    run_jobs()
    task = ActionItem.objects.get()
    assert (task.owner_name, task.owner) == ("Anna", anna.user)
    people = minutes_of(Meeting.objects.get(id=meeting.id)).participants
    assert [(p.name, p.part, p.talk_ms) for p in people] == [
        (actor.user.get_full_name(), "organizer", None),
        ("Anna Berg", "participant", None),
        ("Ben", "participant", 500),
        ("Cara", "speaker", None),
    ]


def test_list_is_filtered_by_words_of_the_title(actor: Actor) -> None:
    for title in ("Budget of the board", "Board dinner", "100% budget"):
        make.meeting(organization=actor.organization, title=title)
    client = make.client(actor)

    def found(q: str) -> set[str]:
        return {row["title"] for row in client.get(URL, {"q": q}).json()["results"]}

    assert found("BOARD") == {"Budget of the board", "Board dinner"}
    assert found("board budget") == {"Budget of the board"}
    assert found("0%") == {"100% budget"}
    assert found("_") == set()
    assert client.get(URL, {"q": "x" * 201}).status_code == 400
