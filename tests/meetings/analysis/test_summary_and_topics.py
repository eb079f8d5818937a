"""What a summary and its chapters promise, on real meetings."""

from __future__ import annotations

from itertools import pairwise

import pytest

from meetings.analysis.discussion import Discussion, Turn
from meetings.analysis.rules.disfluencies import remove_disfluencies
from meetings.analysis.rules.language import table
from meetings.analysis.words import word_count
from tests.bench import summaries as bench
from tests.meetings.analysis.said import discussion, summaries, topics

MEETINGS = {meeting.name: meeting.discussion for meeting in bench.meetings()}
SOME = ["ES2005a", "IS1007b", "Bro007", "education_19"]
APPLES = "The apple harvest was good and the apple juice tastes of sweet apples this autumn."
TRAINS = "The train timetable changes because the railway bridge is closed for every train."


@pytest.mark.parametrize("name", SOME)
def test_a_summary_is_short_and_rests_on_words_that_were_said(name: str) -> None:
    (found,) = summaries(MEETINGS[name])
    turns = {turn.id: turn.text for turn in MEETINGS[name].turns}

    assert word_count(found.text) <= 150
    assert found.quotes
    assert all(quote.verified and quote.text in turns[quote.turn_id] for quote in found.quotes)


@pytest.mark.parametrize("name", SOME)
def test_chapters_follow_each_other_from_the_first_turn_to_the_last(name: str) -> None:
    turns = [turn.id for turn in MEETINGS[name].turns]
    spans = [
        (turns.index(each.first_turn_id), turns.index(each.last_turn_id))
        for each in topics(MEETINGS[name])
    ]

    assert spans[0][0] == 0
    assert spans[-1][1] == len(turns) - 1
    assert all(last + 1 == first for (_, last), (first, _) in pairwise(spans))


def test_chapters_change_where_the_words_change() -> None:
    turns = [Turn(str(n), APPLES if n < 30 else TRAINS, "Anna") for n in range(60)]

    first, second = topics(Discussion(tuple(turns), "en"))

    assert int(second.first_turn_id) == int(first.last_turn_id) + 1
    assert 25 <= int(second.first_turn_id) <= 35  # a chapter begins with a block of sixty words
    assert "apple" in first.title.lower()
    assert "train" in second.title.lower()


def test_a_summary_names_who_spoke_and_what_about() -> None:
    (found,) = summaries(MEETINGS["ES2005a"])

    assert found.text.startswith("Project Manager, Industrial Designer, User Interface and")
    assert "remote control" in found.text.partition(".")[0]


TALK = (
    "Clara: I looked at the marketing budget regarding the spring campaign.",
    "Ben: The man's close to agreeing on the marketing budget, Clara.",
    "Clara: Last year we decided to close the shop in Graz for the winter.",
    "Ben: Okay, so decision: the marketing budget stays at ten thousand euros.",
    "Clara: I'll send the spring campaign to the printer by Friday.",
)


def test_the_first_line_holds_phrases_and_neither_cue_words_nor_speakers() -> None:
    (found,) = summaries(discussion(*TALK))
    line = found.text.partition(".")[0]

    assert line.startswith("Clara and Ben discussed ")
    assert "the marketing budget" in line
    assert "the spring campaign" in line
    for noise in ("agree", "decid", "decision", "regarding", "man's", "close", "Friday"):
        assert noise not in line
    assert line.count("Clara") == 1


def test_a_summary_begins_with_what_was_decided_and_who_does_what() -> None:
    (found,) = summaries(discussion(*TALK))

    assert (
        ". Decided: The marketing budget stays at ten thousand euros."
        " To do: Clara: I'll send the spring campaign to the printer by Friday."
    ) in found.text
    assert [quote.turn_id for quote in found.quotes] == sorted({q.turn_id for q in found.quotes})


def test_a_summary_never_quotes_what_was_decided_at_another_time() -> None:
    (found,) = summaries(discussion(*TALK))

    assert "Last year" not in found.text


def test_a_meeting_of_two_sentences_is_its_decision() -> None:
    (found,) = summaries(
        discussion("Anna: Good morning.", "Bob: We decided to hire two engineers.")
    )

    assert found.text == "Decided: We decided to hire two engineers."


def test_titles_of_chapters_hold_no_cue_words_and_no_speakers() -> None:
    (found,) = topics(discussion(*TALK))

    assert "marketing budget" in found.title.lower()
    assert not {"clara", "ben", "agreed", "decided", "decision"} & set(found.title.lower().split())


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("Um, so we we should, uh, start.", "We should, start."),
        ("I think I think th the budget is fine.", "I think the budget is fine."),
        ("y you know, the pr presentation", "The presentation."),
        ("[laughter] okay {vocalsound}", ""),
        ("That was twenty twenty 5 5.", "That was twenty 5 5."),
    ],
)
def test_fillers_and_false_starts_are_left_out(said: str, written: str) -> None:
    assert remove_disfluencies(said, table("en")) == written


def test_a_language_without_a_table_has_a_summary_and_chapters() -> None:
    lines = [
        "Hallituksen kokous käsitteli uuden koulun rakentamista ja sen pitkää aikataulua.",
        "Koulun kustannukset nousivat viime vuonna lähes kolmanneksen arvioidusta summasta.",
        "Kirjastoon ostetaan sata uutta lastenkirjaa ja kaksi suurta pöytää lukusaliin.",
    ]
    read = Discussion(tuple(Turn(line[:8], line, "Aino") for line in lines), "fi")

    assert topics(read)
    assert [quote.text for each in summaries(read) for quote in each.quotes] == lines
