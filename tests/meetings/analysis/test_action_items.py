"""Who has to do what by when, and what only sounds like a task."""

from __future__ import annotations

from datetime import date

import pytest

from meetings.analysis.engines import ENGINE
from meetings.analysis.findings import ActionItemFound, Section
from tests.meetings.analysis.said import action_items, discussion

FRIDAY = date(2026, 3, 6)
FOUND = [
    ("en", "Action: Bob to send the draft by Friday.", "Bob", FRIDAY),
    ("en", "Anna will send the draft by Friday.", "Anna", FRIDAY),
    ("en", "I'll send the draft by Friday.", "Chair", FRIDAY),
    ("en", "Bob, could you please send the draft by Friday?", "Bob", FRIDAY),
    ("en", "Could you send the draft by Friday, Bob?", "Bob", FRIDAY),
    ("en", "Bob agreed to send the draft by Friday.", "Bob", FRIDAY),
    ("en", "By Friday Anna will send the draft.", "Anna", FRIDAY),
    ("en", "The chair will send the draft by Friday.", "Chair", FRIDAY),
    ("en", "Action item: order two hundred chairs.", "", None),
    ("sv", "Anna skickar utkastet senast på fredag.", "Anna", FRIDAY),
    ("sv", "Bob, kan du skicka utkastet på fredag?", "Bob", FRIDAY),
    ("de", "Anna schickt bis Freitag den Entwurf.", "Anna", FRIDAY),
    ("de", "Ich rufe bis Freitag die Kapelle an.", "Chair", FRIDAY),
    ("hu", "Anna péntekig elküldi a tervezetet.", "Anna", FRIDAY),
    ("hu", "Péntekre kijavítom a tesztet.", "Chair", FRIDAY),
]
REFUSED = [
    ("en", "Bob was going to send the draft by Friday."),
    ("en", "Anna will not send the draft by Friday."),
    ("en", "If Anna sends the draft, Bob will check it by Friday."),
    ("en", "Maybe Anna will send the draft by Friday."),
    ("en", "They said that Anna will send the draft by Friday."),
    ("en", "Somebody should send the draft by Friday."),
    ("en", "Could you send the draft by Friday?"),
    ("en", "Will Anna send the draft by Friday?"),
    ("en", "I'll tell you why this is so hard."),
    ("en", "I will be in the office by Friday."),
    ("en", "Germany will win the cup again."),
    ("sv", "Anna skulle ha skickat utkastet på fredag."),
    ("de", "Anna schickt den Entwurf vielleicht bis Freitag."),
    ("hu", "Anna talán péntekig elküldi a tervezetet."),
]
OTHERS = ("Anna: Good.", "Bob: Fine.")


@pytest.mark.parametrize(("language", "text", "owner", "due_on"), FOUND)
def test_a_task_is_found_with_its_owner_and_day(
    language: str, text: str, owner: str, due_on: date | None
) -> None:
    (found,) = action_items(f"Chair: {text}", *OTHERS, language=language)

    assert found.owner_name == owner
    assert found.due_on == due_on
    assert [quote.text for quote in found.quotes] == [text]


@pytest.mark.parametrize(("language", "text"), REFUSED)
def test_what_only_sounds_like_a_task_is_refused(language: str, text: str) -> None:
    assert action_items(f"Chair: {text}", *OTHERS, language=language) == []


def test_a_task_is_told_without_its_label() -> None:
    labelled, spoken = action_items(
        "Chair: Action item: Bob to send the draft by Friday.",
        "Bob: Okay, so I will book the hall by Monday.",
    )

    assert labelled.text == "Bob to send the draft by Friday."
    assert spoken.text == "I will book the hall by Monday."


def test_a_question_and_its_answer_are_one_task() -> None:
    (found,) = action_items(
        "Chair: Can you review the contract, Anna?", "Anna: I will review it by Wednesday."
    )

    assert found.text == "Can you review the contract, Anna? I will review it by Wednesday."
    assert (found.owner_name, found.due_on) == ("Anna", date(2026, 3, 4))
    assert [quote.turn_id for quote in found.quotes] == ["t0", "t1"]


def test_an_answer_that_names_another_thing_is_another_task() -> None:
    found = action_items(
        "Chair: Can you review the contract, Anna?", "Anna: I will review the budget by Wednesday."
    )

    assert len(found) == 2


def test_a_promise_of_somebody_else_is_no_answer() -> None:
    found = action_items(
        *OTHERS,
        "Chair: Can you review the contract, Anna?",
        "Bob: I will review it by Wednesday.",
    )

    assert [item.owner_name for item in found] == ["Anna", "Bob"]


def test_nobody_is_made_the_owner_when_nobody_was_told_apart() -> None:
    (found,) = action_items(": I'll send the draft by Friday.")

    assert found.owner_name == ""


def test_an_absent_person_owns_a_task_that_has_a_date() -> None:
    with_date = action_items("Chair: Zora will send the draft by Friday.")
    without = action_items("Chair: Zora will send the draft.")

    assert [item.owner_name for item in with_date] == ["Zora"]
    assert without == []


def test_a_promise_cut_by_a_pause_rests_on_both_turns() -> None:
    (found,) = action_items("Anna: I'll send the draft", "Anna: to everybody by Friday.")

    assert [quote.turn_id for quote in found.quotes] == ["t0", "t1"]
    assert found.due_on == FRIDAY


def test_without_the_day_of_the_meeting_the_phrase_is_kept_and_no_day_is_made_up() -> None:
    read = discussion("Anna: I'll send the draft by Friday.", held_on=None)

    (found,) = ENGINE.find(Section.ACTION_ITEMS, read).items

    assert isinstance(found, ActionItemFound)
    assert (found.due_on, found.due_phrase) == (None, "by Friday")
