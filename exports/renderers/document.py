"""A meeting as a reader meets it: titled parts, tables, and chapters of what was said.

Every format that people read is a walk over this; only empty parts and columns are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from exports.renderers.clean import one_line
from exports.renderers.labels import RIGHT_TO_LEFT, labels_in
from exports.renderers.minutes import Item, Minutes, Section, Task
from exports.renderers.options import Options, Timestamps
from exports.renderers.times import clock, held, share
from exports.renderers.turns import Chapter, Turn, chapters, kept

# In a list of participants or stakeholders; thousands of names are no list that people read.
MOST_NAMES = 500


@dataclass(frozen=True, slots=True)
class Cell:
    """A field of a table. A `mark` is a time, a day or a figure: it runs left to right everywhere.

    `segment` is the index of the words that the cell leads to.
    """

    text: str = ""
    mark: bool = False
    segment: int | None = None


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; the columns in `wide` take the room that the others leave."""

    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    wide: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """What stands under one heading: paragraphs or a table."""

    section: Section
    title: str
    paragraphs: tuple[str, ...] = ()
    grid: Grid | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A turn as it is shown: who, when, and its pieces, each with its own time or none."""

    first: int
    segments: int
    speaker: str
    time: str
    pieces: tuple[tuple[str, str], ...]

    @property
    def anchor(self) -> str:
        """The name under which links lead here."""
        return anchor_of(self.first)


@dataclass(frozen=True, slots=True)
class Document:
    """All that a file shows. `chapters` are titles (or none), their times, and their turns."""

    title: str
    held: str
    language: str
    labels: Mapping[str, str]
    parts: tuple[Part, ...]
    chapters: tuple[tuple[str, str, tuple[Said, ...]], ...]
    revision: int

    @property
    def is_right_to_left(self) -> bool:
        return self.language in RIGHT_TO_LEFT


def document_of(minutes: Minutes, options: Options) -> Document:
    """The document for these choices."""
    labels = labels_in(options.language)
    return Document(
        title=one_line(minutes.title) or labels["minutes"],
        held=held(minutes),
        language=options.language,
        labels=labels,
        parts=tuple(_parts(minutes, options, labels)),
        chapters=tuple(_shown(chapter, options) for chapter in chapters(minutes, options)),
        revision=minutes.revision,
    )


def _parts(minutes: Minutes, options: Options, labels: Mapping[str, str]) -> Iterator[Part]:
    for section in options.sections:
        if section in _GRIDS:
            heads, wide, rows = _GRIDS[section](minutes, options, labels)
            grid = _without_empty_columns(heads, wide, rows)
            if grid is not None:
                yield Part(section, labels[section], grid=grid)
        elif section in _TEXTS:
            paragraphs = paragraphs_of(_TEXTS[section](minutes))
            if paragraphs:
                yield Part(section, labels[section], paragraphs=paragraphs)


def paragraphs_of(text: str) -> tuple[str, ...]:
    """The lines of a text that hold anything."""
    return tuple(line for line in map(one_line, text.split("\n")) if line)


_TEXTS: dict[Section, Callable[[Minutes], str]] = {
    Section.BRIEF: lambda minutes: minutes.brief,
    Section.SUMMARY: lambda minutes: minutes.summary,
    Section.NOTES: lambda minutes: "\n".join(note.message for note in minutes.notes),
}

_Raw = tuple[Sequence[str], Sequence[bool], Iterable[tuple[Cell, ...]]]


def _details(minutes: Minutes, _options: Options, labels: Mapping[str, str]) -> _Raw:
    known = {
        "when": Cell(held(minutes), mark=True),
        "duration": Cell(clock(minutes.duration_ms) if minutes.duration_ms else "", mark=True),
        "platform": Cell(one_line(minutes.platform)),
        "organizer": Cell(one_line(minutes.organizer)),
        "tags": Cell(", ".join(map(one_line, minutes.tags))),
        "language": Cell(minutes.language, mark=True),
    }
    rows = [(Cell(labels[name]), cell) for name, cell in known.items() if cell.text]
    return ("", ""), (False, True), rows


def _participants(minutes: Minutes, _options: Options, labels: Mapping[str, str]) -> _Raw:
    total = sum(person.talk_ms or 0 for person in minutes.participants)
    rows: list[tuple[Cell, ...]] = [
        (
            Cell(one_line(person.name)),
            Cell(labels[person.part]),
            Cell(clock(person.talk_ms) if person.talk_ms else "", mark=True),
            Cell(share(person.talk_ms, total) if person.talk_ms else "", mark=True),
        )
        for person in minutes.participants[:MOST_NAMES]
    ]
    rows += _more(len(minutes.participants), labels, columns=4)
    heads = [labels[name] for name in ("name", "part", "talk_time", "share")]
    return heads, (True, False, False, False), rows


def _more(people: int, labels: Mapping[str, str], *, columns: int) -> Iterator[tuple[Cell, ...]]:
    """A row that says how many people a list does not name."""
    if people > MOST_NAMES:
        text = labels["more"].format(count=f"{people - MOST_NAMES:,}")
        yield Cell(text), *(Cell() for _ in range(columns - 1))


def unnamed(minutes: Minutes, options: Options) -> int:
    """How many people the lists of a document do not name."""
    lists = {
        Section.PARTICIPANTS: minutes.participants,
        Section.STAKEHOLDERS: minutes.stakeholders,
    }
    return sum(
        max(0, len(people) - MOST_NAMES)
        for section, people in lists.items()
        if section in options.sections
    )


def _stakeholders(minutes: Minutes, _options: Options, labels: Mapping[str, str]) -> _Raw:
    rows: list[tuple[Cell, ...]] = [
        (Cell(one_line(who.name)), Cell(one_line(who.role)), Cell(one_line(who.interest)))
        for who in minutes.stakeholders[:MOST_NAMES]
    ]
    rows += _more(len(minutes.stakeholders), labels, columns=3)
    return [labels[name] for name in ("name", "role", "interest")], (False, False, True), rows


def _decisions(minutes: Minutes, options: Options, labels: Mapping[str, str]) -> _Raw:
    items = kept(minutes.decisions, options)
    rows = [
        (
            Cell(str(number), mark=True),
            Cell(one_line(item.text)),
            Cell(labels["confirmed" if item.is_confirmed else "possible"]),
            _at(item.segment, minutes),
        )
        for number, item in enumerate(items, start=1)
    ]
    heads = ("#", *(labels[name] for name in ("decision", "status", "at")))
    return heads, (False, True, False, False), rows


def _action_items(minutes: Minutes, options: Options, labels: Mapping[str, str]) -> _Raw:
    rows = [
        (
            Cell(str(number), mark=True),
            Cell(one_line(item.text)),
            Cell(one_line(item.owner)),
            due(item),
            Cell(labels[status_of(item)]),
            _at(item.segment, minutes),
        )
        for number, item in enumerate(kept(minutes.action_items, options), start=1)
    ]
    heads = ("#", *(labels[name] for name in ("task", "owner", "due", "status", "at")))
    return heads, (False, True, False, False, False, False), rows


def _topics(minutes: Minutes, _options: Options, labels: Mapping[str, str]) -> _Raw:
    rows = [
        (
            Cell(str(number), mark=True),
            Cell(one_line(topic.title)),
            _at(topic.segment, minutes),
        )
        for number, topic in enumerate(minutes.topics, start=1)
    ]
    return ("#", labels["topics"], labels["at"]), (False, True, False), rows


_GRIDS = {
    Section.DETAILS: _details,
    Section.PARTICIPANTS: _participants,
    Section.STAKEHOLDERS: _stakeholders,
    Section.DECISIONS: _decisions,
    Section.ACTION_ITEMS: _action_items,
    Section.TOPICS: _topics,
}


def due(item: Task) -> Cell:
    """The day, else the words that were said for it."""
    if item.due_on is not None:
        return Cell(item.due_on.isoformat(), mark=True)
    return Cell(one_line(item.due_phrase))


def status_of(item: Item) -> str:
    """The name of the label for how certain an item is, or that it is done."""
    if isinstance(item, Task) and item.is_completed:
        return "done"
    return "confirmed" if item.is_confirmed else "possible"


def _at(segment: int | None, minutes: Minutes) -> Cell:
    """When the words of an item were said, leading to them; by number where there are no times."""
    if segment is None or not 0 <= segment < len(minutes.segments):
        return Cell(mark=True)
    start = minutes.segments[segment].start_ms
    text = f"#{segment + 1}" if start is None else clock(start)
    return Cell(text, mark=True, segment=segment)


def _without_empty_columns(
    heads: Sequence[str], wide: Sequence[bool], rows: Iterable[tuple[Cell, ...]]
) -> Grid | None:
    held_rows = list(rows)
    keep = [column for column in range(len(heads)) if any(row[column].text for row in held_rows)]
    if not keep:
        return None
    return Grid(
        heads=tuple(heads[column] for column in keep),
        rows=tuple(tuple(row[column] for column in keep) for row in held_rows),
        wide=tuple(wide[column] for column in keep),
    )


def _shown(chapter: Chapter, options: Options) -> tuple[str, str, tuple[Said, ...]]:
    topic = chapter.topic
    title = one_line(topic.title) if topic else ""
    with_time = topic is not None and options.timestamps is not Timestamps.NONE
    time = _time(topic.start_ms) if topic and with_time else ""
    return title, time, tuple(_said(turn, options) for turn in chapter.turns)


def _said(turn: Turn, options: Options) -> Said:
    if options.timestamps is Timestamps.SEGMENT:
        pieces = tuple((_time(s.start_ms), one_line(s.text)) for s in turn.segments)
    else:
        pieces = (("", turn.text),)
    return Said(
        first=turn.first,
        segments=len(turn.segments),
        speaker=turn.speaker if options.speakers else "",
        time=_time(turn.start_ms) if options.timestamps is Timestamps.TURN else "",
        pieces=pieces,
    )


def _time(ms: int | None) -> str:
    return "" if ms is None else clock(ms)


def linked_segments(document: Document) -> set[int]:
    """The indexes of the segments that some cell leads to."""
    return {
        cell.segment
        for part in document.parts
        if part.grid is not None
        for row in part.grid.rows
        for cell in row
        if cell.segment is not None
    }


def anchor_of(first: int) -> str:
    """The name of a turn by its first segment."""
    return f"t{first}"


def anchors(document: Document) -> dict[int, int]:
    """For every segment that something leads to, the first segment of the turn it is in."""
    wanted = linked_segments(document)
    return {
        segment: said.first
        for _, _, turns in document.chapters
        for said in turns
        for segment in range(said.first, said.first + said.segments)
        if segment in wanted
    }
