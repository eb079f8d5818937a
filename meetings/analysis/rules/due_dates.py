"""Finds due dates: a phrase of the language's table first, and then the day of that phrase.

Reading whole sentences for dates turns "may", "second" and "25" into days. Here a phrase of the
table must match before a day is computed, and a phrase that leaves the day open gets none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import regex

from meetings.analysis.rules.due_rules import RULES, Reading
from meetings.analysis.rules.language import Language, compiled, table

MAX_WAIT = timedelta(days=3 * 366)  # a date further off was hardly meant as a due date


@dataclass(frozen=True, slots=True)
class Due:
    """The words of a due date, and its day; None where they leave it open."""

    phrase: str
    on: date | None


@dataclass(frozen=True, slots=True)
class _Phrase:
    """A row of the table: a pattern, the rule that computes its day and the rule's number."""

    pattern: regex.Pattern[str]
    rule: str
    number: int


def find(text: str, language: Language, held_on: date | None, *, after: int = 0) -> Due | None:
    """Return the due date in one sentence, first behind character `after`, else anywhere in it."""
    for part in dict.fromkeys((text[after:], text)):
        for phrase in _phrases(language.code):
            if match := phrase.pattern.search(part):
                reading = None
                if held_on is not None:
                    reading = Reading(match, phrase.number, held_on, language)
                return Due(match.group().strip(), _day(phrase.rule, reading))
    return None


def _day(rule: str, reading: Reading | None) -> date | None:
    if reading is None or rule not in RULES:
        return None
    try:
        day = RULES[rule](reading)
    except (ValueError, OverflowError):  # 31 June; the year 10000
        return None
    # A difference of two days always exists; the last day plus a wait does not.
    return day if day and timedelta(0) <= day - reading.held_on <= MAX_WAIT else None


@lru_cache(maxsize=16)
def _phrases(code: str) -> tuple[_Phrase, ...]:
    due = table(code).due
    return tuple(
        _Phrase(
            # Whole words only: "by Mon" must not match "by Monday".
            compiled(rf"(?<![\w-])(?:{row['pattern']})(?![\w-])", due["named"]),
            row["means"],
            row.get("number", 0),
        )
        for row in due.get("phrases", ())
    )
