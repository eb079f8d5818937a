"""Which words are a due date, and the day they mean for a meeting on Monday 2 March 2026."""

from __future__ import annotations

from datetime import date

import pytest

from meetings.analysis.rules import due_dates
from meetings.analysis.rules.language import table
from tests.meetings.analysis.said import MONDAY

MEANT = [
    ("en", "by Friday", date(2026, 3, 6)),
    ("en", "by Monday", date(2026, 3, 9)),
    ("en", "next Wednesday", date(2026, 3, 11)),
    ("en", "tomorrow", date(2026, 3, 3)),
    ("en", "by the end of the week", date(2026, 3, 6)),
    ("en", "by the end of next week", date(2026, 3, 13)),
    ("en", "by the end of the month", date(2026, 3, 31)),
    ("en", "by the end of the quarter", date(2026, 3, 31)),
    ("en", "by the end of May", date(2026, 5, 31)),
    ("en", "before 20 March", date(2026, 3, 20)),
    ("en", "by March 20th", date(2026, 3, 20)),
    ("en", "by 15 January", date(2027, 1, 15)),
    ("en", "by the 25th", date(2026, 3, 25)),
    ("en", "by 2026-04-01", date(2026, 4, 1)),
    ("en", "by 25/04/2026", date(2026, 4, 25)),
    ("en", "within ten days", date(2026, 3, 12)),
    ("en", "in two weeks", date(2026, 3, 16)),
    ("en", "within three months", date(2026, 6, 2)),
    ("en", "within five working days", date(2026, 3, 9)),
    ("sv", "senast på fredag", date(2026, 3, 6)),
    ("sv", "senast den 25 september", date(2026, 9, 25)),
    ("sv", "före månadens slut", date(2026, 3, 31)),
    ("de", "bis zum 10. April", date(2026, 4, 10)),
    ("de", "bis 5.6.2026", date(2026, 6, 5)),
    ("de", "bis Ende April", date(2026, 4, 30)),
    ("hu", "április 15-ig", date(2026, 4, 15)),
    ("hu", "péntekre", date(2026, 3, 6)),
    ("hu", "a jövő héten", date(2026, 3, 13)),
]
ODD_LETTERS = [
    ("by ſunday", date(2026, 3, 8)),
    ("by frİday", date(2026, 3, 6)),
    ("within ſix days", date(2026, 3, 8)),
    ("within fİve working days", date(2026, 3, 9)),
    ("by the end of auguſt", date(2026, 8, 31)),
    ("by 15 AprİL", date(2026, 4, 15)),
    ("next weeK", date(2026, 3, 13)),
]
KEPT = ["as soon as possible", "by the next meeting", "by May", "by 03/04/2026", "by 31 June"]
NO_DATE = [
    "It may rain on the way.",
    "The second option is better.",
    "There are 25 chairs in the hall.",
    "I will march through the second door.",
    "We need 25 by the second entrance.",
    "The summer was long and warm.",
]


@pytest.mark.parametrize(("language", "phrase", "day"), MEANT)
def test_a_phrase_means_a_day(language: str, phrase: str, day: date) -> None:
    found = due_dates.find(f"xx {phrase}.", table(language), MONDAY)

    assert found == due_dates.Due(phrase, day)


@pytest.mark.parametrize(("phrase", "day"), ODD_LETTERS)
def test_letters_that_only_a_pattern_takes_for_others_mean_the_same_day(
    phrase: str, day: date
) -> None:
    found = due_dates.find(f"xx {phrase}.", table("en"), MONDAY)

    assert found == due_dates.Due(phrase, day)


@pytest.mark.parametrize("held_on", [date.min, date(9998, 1, 1), date.max])
@pytest.mark.parametrize(("language", "phrase", "_day"), MEANT)
def test_the_first_and_the_last_day_there_is_are_survived(
    language: str, phrase: str, _day: date, held_on: date
) -> None:
    found = due_dates.find(f"xx {phrase}.", table(language), held_on)

    assert found is not None
    assert found.phrase == phrase
    assert found.on is None or found.on >= held_on


def test_a_friday_in_the_year_9998_is_found() -> None:
    found = due_dates.find("by Friday", table("en"), date(9998, 1, 1))

    assert found == due_dates.Due("by Friday", date(9998, 1, 2))


@pytest.mark.parametrize("phrase", KEPT)
def test_a_phrase_that_does_not_say_which_day_is_kept_as_it_is(phrase: str) -> None:
    found = due_dates.find(f"I will do it {phrase}.", table("en"), MONDAY)

    assert found == due_dates.Due(phrase, None)


@pytest.mark.parametrize("text", NO_DATE)
def test_may_second_and_25_alone_are_no_dates(text: str) -> None:
    assert due_dates.find(text, table("en"), MONDAY) is None
