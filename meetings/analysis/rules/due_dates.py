"""When something is due: the phrase is found by its cue first, and only that phrase is read.

Reading whole sentences for dates turns "may", "second" and "25" into days. Here a phrase of the
language's table must fit before anything is reckoned, and what it leaves open stays open.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

import dateparser
import regex

from meetings.analysis.rules.language import Language, compiled, table
from meetings.analysis.words import folded

FRIDAY = 4
NO_WAIT = timedelta(0)
LONGEST_WAIT = timedelta(days=3 * 366)  # a date further off was hardly meant as a due date


@dataclass(frozen=True, slots=True)
class Due:
    """The words of a due date, and the day they mean; None where they do not say which."""

    phrase: str
    on: date | None


@dataclass(frozen=True, slots=True)
class _Phrase:
    pattern: regex.Pattern[str]
    means: str
    number: int


@dataclass(frozen=True, slots=True)
class _Reading:
    """One phrase that fits, with all it takes to reckon its day."""

    match: regex.Match[str]
    number: int
    day: date
    language: Language

    def named(self, group: str) -> str:
        """What a named part of the pattern matched, without case; empty if it is not there."""
        return folded((self.match.capturesdict().get(group) or [""])[0])


def find(text: str, language: Language, held_on: date | None, *, after: int = 0) -> Due | None:
    """The due date in one sentence, first behind character `after`, else anywhere in it."""
    return _find(text[after:], language, held_on) or (
        _find(text, language, held_on) if after else None
    )


def _find(text: str, language: Language, held_on: date | None) -> Due | None:
    for phrase in _phrases(language.code):
        match = phrase.pattern.search(text)
        if match is None:
            continue
        day = None
        if held_on is not None and phrase.means in RULES:
            day = _reckoned(phrase, match, held_on, language)
        return Due(match.group().strip(), day)
    return None


def _reckoned(
    phrase: _Phrase, match: regex.Match[str], held_on: date, language: Language
) -> date | None:
    reading = _Reading(match, phrase.number, held_on, language)
    try:
        day = RULES[phrase.means](reading)
    except (ValueError, OverflowError):  # 31 June; the year 10000
        return None
    # A difference of two days always exists; the last day plus a wait does not.
    return day if day is not None and NO_WAIT <= day - held_on <= LONGEST_WAIT else None


@lru_cache(maxsize=16)
def _phrases(code: str) -> tuple[_Phrase, ...]:
    due = table(code).due
    return tuple(
        _Phrase(_whole(each["pattern"], due["named"]), each["means"], each.get("number", 0))
        for each in due.get("phrases", ())
    )


def _whole(pattern: str, named: Mapping[str, str]) -> regex.Pattern[str]:
    return compiled(rf"(?<![\w-])(?:{pattern})(?![\w-])", named)


def _in_days(reading: _Reading) -> date:
    return reading.day + timedelta(days=_number(reading))


def _in_working_days(reading: _Reading) -> date:
    day, left = reading.day, _number(reading)
    while left > 0:
        day += timedelta(days=1)
        left -= day.weekday() <= FRIDAY
    return day


def _in_weeks(reading: _Reading) -> date:
    weeks = 2 if reading.named("fortnight") else _number(reading)
    return reading.day + timedelta(weeks=weeks)


def _in_months(reading: _Reading) -> date:
    return _month_later(reading.day, _number(reading))


def _number(reading: _Reading) -> int:
    said = reading.named("number")
    if not said:
        return reading.number
    return int(said) if said.isdigit() else int(reading.language.due["numbers"][said])


def _weekday(reading: _Reading) -> date:
    """The next such day after the meeting's own."""
    ahead = (_named_weekday(reading) - reading.day.weekday() - 1) % 7 + 1
    return reading.day + timedelta(days=ahead)


def _next_weekday(reading: _Reading) -> date:
    """That day of the week after this one."""
    monday = reading.day - timedelta(days=reading.day.weekday())
    return monday + timedelta(days=7 + _named_weekday(reading))


def _named_weekday(reading: _Reading) -> int:
    said = reading.named("weekday")
    names: Mapping[str, int] = reading.language.due["weekdays"]
    return names[said]


def _week_end(reading: _Reading) -> date:
    """Friday, of a later week by `number`; after a Friday the next week's is meant."""
    monday = reading.day - timedelta(days=reading.day.weekday())
    friday = monday + timedelta(days=FRIDAY, weeks=reading.number)
    return friday if friday >= reading.day else friday + timedelta(weeks=1)


def _month_end(reading: _Reading) -> date:
    return _last_of(_month_later(reading.day.replace(day=1), reading.number))


def _quarter_end(reading: _Reading) -> date:
    ahead = 2 - (reading.day.month - 1) % 3 + 3 * reading.number
    return _last_of(_month_later(reading.day.replace(day=1), ahead))


def _year_end(reading: _Reading) -> date:
    return date(reading.day.year + reading.number, 12, 31)


def _named_month_end(reading: _Reading) -> date:
    month = int(reading.language.due["months"][reading.named("month")])
    if year := reading.named("year"):
        return _last_of(date(int(year), month, 1))
    end = _last_of(date(reading.day.year, month, 1))
    return end if end >= reading.day else _last_of(date(reading.day.year + 1, month, 1))


def _day_of_month(reading: _Reading) -> date:
    """That day of this month, or of the next if it is over."""
    number = int(reading.named("day"))
    first = reading.day.replace(day=1)
    if number <= reading.day.day:
        first = _month_later(first, 1)
    return first.replace(day=number)


def _calendar(reading: _Reading) -> date | None:
    """A day and its month, with or without the year, read by dateparser in that language only."""
    base = datetime(reading.day.year, reading.day.month, reading.day.day)  # noqa: DTZ001
    read = dateparser.parse(
        reading.named("calendar"),
        languages=[reading.language.code],
        settings={"RELATIVE_BASE": base, "PREFER_DATES_FROM": "future", "DATE_ORDER": "DMY"},
    )
    return read.date() if read else None


def _numeric(reading: _Reading) -> date | None:
    """5.6.2026 where the language writes the day first; else only if no other order is a day."""
    first, second, year = (int(each) for each in regex.split(r"\D+", reading.named("numeric")))
    day_first: bool = reading.language.due["day_first"]
    if day_first or first > 12 or first == second:
        return date(year, second, first)
    return date(year, first, second) if second > 12 else None


def _month_later(day: date, months: int) -> date:
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _last_of(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


# What `means` in a table may say. A phrase of another meaning ("unclear") is kept without a day.
RULES: Mapping[str, Callable[[_Reading], date | None]] = {
    "in_days": _in_days,
    "in_working_days": _in_working_days,
    "in_weeks": _in_weeks,
    "in_months": _in_months,
    "weekday": _weekday,
    "next_weekday": _next_weekday,
    "week_end": _week_end,
    "month_end": _month_end,
    "quarter_end": _quarter_end,
    "year_end": _year_end,
    "named_month_end": _named_month_end,
    "day_of_month": _day_of_month,
    "calendar": _calendar,
    "numeric": _numeric,
}
