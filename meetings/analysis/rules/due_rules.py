"""The rules that compute the day of a due phrase, by the name that the tables give them."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import dateparser
import regex

from meetings.analysis.rules.language import Language
from meetings.analysis.words import folded

FRIDAY = 4


@dataclass(frozen=True, slots=True)
class Reading:
    """A phrase that matched, the number of its row, and the day of the meeting."""

    match: regex.Match[str]
    number: int
    held_on: date
    language: Language

    def named(self, group: str) -> str:
        """Return the match of a named part of the pattern, without case; empty without one."""
        return folded((self.match.capturesdict().get(group) or [""])[0])

    @property
    def count(self) -> int:
        """The number that was said, as a figure or a word; else the number of the row."""
        number = self.named("number")
        if not number:
            return self.number
        return int(number) if number.isdigit() else int(self.language.due["numbers"][number])

    @property
    def weekday(self) -> int:
        """The weekday that was said, 0 for Monday."""
        weekdays: Mapping[str, int] = self.language.due["weekdays"]
        return weekdays[self.named("weekday")]

    @property
    def monday(self) -> date:
        """The Monday of the meeting's week."""
        return self.held_on - timedelta(days=self.held_on.weekday())


def in_days(reading: Reading) -> date:
    """Return the day so many days after the meeting."""
    return reading.held_on + timedelta(days=reading.count)


def in_working_days(reading: Reading) -> date:
    """Return the day so many days after the meeting, not counting weekends."""
    day, left = reading.held_on, reading.count
    while left > 0:
        day += timedelta(days=1)
        left -= day.weekday() <= FRIDAY
    return day


def in_weeks(reading: Reading) -> date:
    """Return the day so many weeks after the meeting; "a fortnight" is two."""
    weeks = 2 if reading.named("fortnight") else reading.count
    return reading.held_on + timedelta(weeks=weeks)


def in_months(reading: Reading) -> date:
    """Return the same day so many months later, or the last day of a shorter month."""
    return _months_later(reading.held_on, reading.count)


def weekday(reading: Reading) -> date:
    """Return the next such day after the meeting's own."""
    days = (reading.weekday - reading.held_on.weekday() - 1) % 7 + 1
    return reading.held_on + timedelta(days=days)


def next_weekday(reading: Reading) -> date:
    """Return that day of the week after the meeting's."""
    return reading.monday + timedelta(days=7 + reading.weekday)


def week_end(reading: Reading) -> date:
    """Return the Friday of this week, or of a later one by the row's number."""
    friday = reading.monday + timedelta(days=FRIDAY, weeks=reading.number)
    # After a Friday the next week's is meant.
    return friday if friday >= reading.held_on else friday + timedelta(weeks=1)


def month_end(reading: Reading) -> date:
    """Return the last day of this month, or of a later one by the row's number."""
    return _last_of_month(_months_later(reading.held_on.replace(day=1), reading.number))


def quarter_end(reading: Reading) -> date:
    """Return the last day of this quarter, or of a later one by the row's number."""
    months = 2 - (reading.held_on.month - 1) % 3 + 3 * reading.number
    return _last_of_month(_months_later(reading.held_on.replace(day=1), months))


def year_end(reading: Reading) -> date:
    """Return the last day of this year, or of a later one by the row's number."""
    return date(reading.held_on.year + reading.number, 12, 31)


def named_month_end(reading: Reading) -> date:
    """Return the last day of the named month, next year's when this year's is over."""
    month = int(reading.language.due["months"][reading.named("month")])
    if year := reading.named("year"):
        return _last_of_month(date(int(year), month, 1))
    end = _last_of_month(date(reading.held_on.year, month, 1))
    if end < reading.held_on:
        return _last_of_month(date(reading.held_on.year + 1, month, 1))
    return end


def day_of_month(reading: Reading) -> date:
    """Return that day of this month, or of the next when it is over."""
    number = int(reading.named("day"))
    first = reading.held_on.replace(day=1)
    if number <= reading.held_on.day:
        first = _months_later(first, 1)
    return first.replace(day=number)


def calendar_day(reading: Reading) -> date | None:
    """Return a day and month, with or without a year, read in the meeting's language only."""
    held_on = reading.held_on
    base = datetime(held_on.year, held_on.month, held_on.day)  # noqa: DTZ001
    parsed = dateparser.parse(
        reading.named("calendar"),
        languages=[reading.language.code],
        settings={"RELATIVE_BASE": base, "PREFER_DATES_FROM": "future", "DATE_ORDER": "DMY"},
    )
    return parsed.date() if parsed else None


def numeric_day(reading: Reading) -> date | None:
    """Return the day of 5.6.2026; None where both orders are dates, as in English 03/04/2026."""
    first, second, year = (int(number) for number in regex.split(r"\D+", reading.named("numeric")))
    day_first: bool = reading.language.due["day_first"]
    if day_first or first > 12 or first == second:
        return date(year, second, first)
    return date(year, first, second) if second > 12 else None


def _months_later(day: date, months: int) -> date:
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _last_of_month(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


# By the value of `means` in a table. Another value ("unclear") keeps the phrase without a day.
RULES: Mapping[str, Callable[[Reading], date | None]] = {
    "in_days": in_days,
    "in_working_days": in_working_days,
    "in_weeks": in_weeks,
    "in_months": in_months,
    "weekday": weekday,
    "next_weekday": next_weekday,
    "week_end": week_end,
    "month_end": month_end,
    "quarter_end": quarter_end,
    "year_end": year_end,
    "named_month_end": named_month_end,
    "day_of_month": day_of_month,
    "calendar": calendar_day,
    "numeric": numeric_day,
}
