"""The load of the queues as a picture: what waits, for how long, and what ended in the last day.

Drawn on the server as SVG, so that a page needs no script and nothing from elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.db.clock import database_now
from core.jobs import queries
from core.jobs.queries import Hour, QueueDepth
from core.staff import formatting

HOURS = 24
WIDTH, HEIGHT = 640, 110  # of the bars, in units of the drawing
LATE_AFTER_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour: where its bars stand and how high they are, in units of the drawing."""

    x: float
    width: float
    succeeded_y: float
    succeeded_height: float
    failed_y: float
    failed_height: float
    label: str
    tip: str


@dataclass(frozen=True, slots=True)
class QueueLine:
    """One queue as staff read it."""

    name: str
    due: int
    later: int
    running: int
    oldest: str
    how: str


@dataclass(frozen=True, slots=True)
class Load:
    """What the page shows."""

    queues: list[QueueLine]
    bars: list[Bar]
    most: int
    succeeded: int
    failed: int
    width: int = WIDTH
    height: int = HEIGHT


def load_now() -> Load:
    """The load at this moment; three queries."""
    hours = queries.ended_per_hour(hours=HOURS)
    return Load(
        queues=[_line(depth) for depth in queries.queue_depths()],
        bars=bars_of(hours, until=database_now()),
        most=_most(hours),
        succeeded=sum(hour.succeeded for hour in hours),
        failed=sum(hour.failed for hour in hours),
    )


def bars_of(hours: Sequence[Hour], *, until: datetime) -> list[Bar]:
    """A bar for each of the last 24 hours, empty ones too; the last is the hour of `until`."""
    found = {hour.begins_at: hour for hour in hours}
    last = until.replace(minute=0, second=0, microsecond=0)
    begins = [last - timedelta(hours=back) for back in reversed(range(HOURS))]
    most = _most(hours)
    return [
        _bar(number, found.get(begin, Hour(begin, 0, 0)), most)
        for number, begin in enumerate(begins)
    ]


def _most(hours: Sequence[Hour]) -> int:
    return max((hour.succeeded + hour.failed for hour in hours), default=0)


def _bar(number: int, hour: Hour, most: int) -> Bar:
    """Failures stand on top of what succeeded."""
    room = WIDTH / HOURS
    unit = HEIGHT / max(most, 1)
    good, bad = hour.succeeded * unit, hour.failed * unit
    return Bar(
        x=round(number * room + 2, 1),
        width=round(room - 4, 1),
        succeeded_y=round(HEIGHT - good, 1),
        succeeded_height=round(good, 1),
        failed_y=round(HEIGHT - good - bad, 1),
        failed_height=round(bad, 1),
        label=f"{hour.begins_at:%H}" if number % 3 == 2 else "",
        tip=f"{hour.begins_at:%H:%M} UTC: {hour.succeeded} succeeded, {hour.failed} failed",
    )


def _line(depth: QueueDepth) -> QueueLine:
    return QueueLine(
        name=depth.queue,
        due=depth.due,
        later=depth.later,
        running=depth.running,
        oldest=formatting.span(timedelta(seconds=depth.oldest_seconds))
        if depth.due
        else formatting.NOTHING,
        how=_how(depth),
    )


def _how(depth: QueueDepth) -> str:
    if depth.due and not depth.running and depth.oldest_seconds > LATE_AFTER_SECONDS:
        return formatting.label("bad", "nobody is at work")
    if depth.oldest_seconds > LATE_AFTER_SECONDS:
        return formatting.label("warn", "behind")
    return (
        formatting.label("busy", "at work")
        if depth.running or depth.due
        else formatting.label("idle", "empty")
    )
