"""What spreadsheets get: the segments, decisions and action items of a meeting as rows."""

from __future__ import annotations

from collections.abc import Iterator

from exports.renderers.clean import one_line
from exports.renderers.document import due, status_of
from exports.renderers.labels import labels_in
from exports.renderers.minutes import Minutes
from exports.renderers.options import Options, Table
from exports.renderers.times import clock
from exports.renderers.turns import kept

_HEADS = {
    Table.SEGMENTS: ("start", "end", "speaker", "text"),
    Table.DECISIONS: ("decision", "status", "at"),
    Table.ACTION_ITEMS: ("task", "owner", "due", "status", "at"),
}


def columns(table: Table) -> tuple[str, ...]:
    """The names of the columns."""
    return _HEADS[table]


def heads(table: Table, options: Options) -> list[str]:
    """The titles of the columns."""
    labels = labels_in(options.language)
    return [labels[name] for name in _HEADS[table]]


def rows(table: Table, minutes: Minutes, options: Options) -> Iterator[tuple[str, ...]]:
    """The rows, each with as many texts as there are titles."""
    return {
        Table.SEGMENTS: _segments,
        Table.DECISIONS: _decisions,
        Table.ACTION_ITEMS: _action_items,
    }[table](minutes, options)


def _segments(minutes: Minutes, options: Options) -> Iterator[tuple[str, ...]]:
    for segment in minutes.segments:
        speaker = one_line(segment.speaker) if options.speakers else ""
        yield _time(segment.start_ms), _time(segment.end_ms), speaker, one_line(segment.text)


def _decisions(minutes: Minutes, options: Options) -> Iterator[tuple[str, ...]]:
    labels = labels_in(options.language)
    for item in kept(minutes.decisions, options):
        yield one_line(item.text), labels[status_of(item)], _said_at(item.segment, minutes)


def _action_items(minutes: Minutes, options: Options) -> Iterator[tuple[str, ...]]:
    labels = labels_in(options.language)
    for item in kept(minutes.action_items, options):
        status, said_at = labels[status_of(item)], _said_at(item.segment, minutes)
        yield one_line(item.text), one_line(item.owner), due(item).text, status, said_at


def _said_at(segment: int | None, minutes: Minutes) -> str:
    if segment is None or not 0 <= segment < len(minutes.segments):
        return ""
    return _time(minutes.segments[segment].start_ms)


def _time(ms: int | None) -> str:
    """With milliseconds, for those who cut sound by it."""
    return "" if ms is None else f"{clock(ms)}.{ms % 1000:03}"
