"""Reads lines of text with names and times, as Otter, Zoom, Meet, Teams and people write them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from meetings.importers.cues import CLOCK, milliseconds
from meetings.importers.names import Labels, looks_like_name
from meetings.importers.values import CueError, ImportedSegment, ParsedFile, Unreadable, check_times
from meetings.text.notes import Note, NoteCode

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_LONGEST_HEAD = 120
_HEAD_LINES = 40  # a title, a date, a list of those present and the like

# A line that names a speaker and a time; the words follow below it.
_HEADS = (
    re.compile(rf"\s*\[(?P<name>[^\[\]]{{1,60}})\]\s+(?P<clock>{CLOCK})\s*"),  # Zoom
    # Otter, Teams; Rev and Trint put the time in brackets.
    re.compile(rf"\s*(?P<name>\S[^\t]{{0,80}}?)\s+[\[(]?(?P<clock>{CLOCK})[\])]?:?\s*"),
)
# The same the other way round, where every line with a time is one: "0:12 Thanks." is speech.
_CLOCK_FIRST = re.compile(
    rf"\s*[\[(]?(?P<clock>{CLOCK})[\])]?\s+[-\u2013]?\s*(?P<name>\S[^\t]{{0,80}}?)\s*"
)
# "[0:12:07] Anna Berg: So we agreed.", "00:12 - 00:15 So we agreed.", "[00:12.00]So we agreed."
_CLOCK_BEFORE = re.compile(
    rf"\s*[\[(]?(?P<clock>{CLOCK})(?:\s*[-\u2013]\s*{CLOCK})?[\])]?(?:\s+[-\u2013])?"
    r"(?:\s+|$|(?<=\]))"
)
# What services write around the words.
_FOOTER = re.compile(
    r"(?:transcribed|transcript(?:ion)? (?:generated|created|provided)|generated|captioned)"
    r" (?:by|with|using) \S.{0,80}"
    rf"|(?:transcription|meeting|recording) ended after {CLOCK}.{{0,10}}"
    r"|this (?:editable )?transcript was (?:computer|automatically|auto)[- ]?generated.{0,200}"
    r"|\S.{0,80} (?:started|stopped) transcription",
    re.IGNORECASE,
)
# The last line of a head: the words begin below it.
_TRANSCRIPT = re.compile(
    r"(?:.{1,200} [-\u2013] )?(?:transcript|transcription|transkript|transkription|leirat|átirat"
    r"|transcripción)\s*:?",
    re.IGNORECASE,
)
_HEADING = re.compile(
    r"(?:attendees|participants|invited|speakers|(?:summary )?keywords|outline|teilnehmer|deltagare"
    r"|résztvevők|participantes)\s*:?",
    re.IGNORECASE,
)
_DATE = re.compile(r".{0,40}\b(?:19|20)\d\d\b.{0,40}|\d+h? ?\d*m(?:in)? ?\d*s?", re.IGNORECASE)
_MARKUP = re.compile(r"\s*</?[a-z!?][^<>]*>", re.IGNORECASE)
_TABLE = re.compile(r"\s*[\d.:]+[\t;,]\s*[\d.:]+[\t;,].*")
# SubStation Alpha: "Dialogue: 0,0:00:01.00,0:00:04.00,Default,..."
_CLOCKS_IN_CELLS = re.compile(rf"{CLOCK}[\t;,]{CLOCK}[\t;,]")


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is not empty, and its number in the file, from 1."""

    number: int
    text: str


@dataclass(slots=True)
class _Parts:
    """What has been read of a file."""

    segments: list[ImportedSegment] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    head: list[int] = field(default_factory=list)

    def leave_out(self, line: Line, reason: str) -> None:
        self.unreadable.append(Unreadable(f"line {line.number}", reason))


def read(text: str) -> ParsedFile:
    """Return the turns of a file: below lines with a name and a time, else one for each line."""
    lines = [Line(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    parts = _Parts()
    while lines and _FOOTER.fullmatch(lines[-1].text.strip()):
        lines.pop()
    lines = _without_head(lines, parts)
    heads = _heads(lines)
    if heads:
        _read_below_heads(lines, heads, parts)
        _count_from_first_time(parts)
    else:
        _read_lines(lines, parts)
    if parts.head:
        parts.notes.append(Note(NoteCode.HEAD_LEFT_OUT, {"lines": parts.head}))
    return ParsedFile(tuple(parts.segments), tuple(parts.unreadable), notes=tuple(parts.notes))


def _without_head(lines: list[Line], parts: _Parts) -> list[Line]:
    """The lines below a head that ends with the line "Transcript"."""
    top = enumerate(lines[:_HEAD_LINES])
    ends = [n for n, line in top if _TRANSCRIPT.fullmatch(line.text.strip())]
    if not ends:
        return lines
    parts.head += [line.number for line in lines[: ends[-1] + 1]]
    return lines[ends[-1] + 1 :]


def _heads(lines: Sequence[Line]) -> dict[int, tuple[str, int]]:
    """Speaker and time by the index of each line that holds nothing else."""
    for forms in (_HEADS, (_CLOCK_FIRST,)):
        found = {n: head for n, line in enumerate(lines) if (head := _head(line.text, forms))}
        if found and (forms is _HEADS or _all_times_are_heads(lines, found)):
            return found
    return {}


def _all_times_are_heads(lines: Sequence[Line], found: Collection[int]) -> bool:
    """Whether each line with a time in front is a head, and has words below it."""
    timed = [n for n, line in enumerate(lines) if _split_clock(line)[0]]
    return timed == sorted(found) and all(n + 1 < len(lines) and n + 1 not in found for n in found)


def _head(text: str, forms: Iterable[re.Pattern[str]]) -> tuple[str, int] | None:
    if len(text) > _LONGEST_HEAD:
        return None
    for form in forms:
        match = form.fullmatch(text)
        name = match["name"].strip().rstrip(":").strip() if match else ""
        if match and looks_like_name(name):
            try:
                return name, milliseconds(match["clock"])
            except CueError:
                return None
    return None


def _read_below_heads(
    lines: Sequence[Line], heads: dict[int, tuple[str, int]], parts: _Parts
) -> None:
    """A segment for each head: the lines up to the next one."""
    first = min(heads)
    _read_before_first(lines[:first], parts)
    starts = sorted(heads)
    for index, following in zip(starts, [*starts[1:], len(lines)], strict=True):
        speaker, start_ms = heads[index]
        words = [
            line.text.strip() for line in lines[index + 1 : following] if _is_said(line, parts)
        ]
        if words:
            _add_segment(parts, lines[index], ImportedSegment(" ".join(words), speaker, start_ms))


def _read_before_first(lines: Sequence[Line], parts: _Parts) -> None:
    """A title with a date or a list of those present is a head; other lines cannot be told."""
    texts = [line.text.strip() for line in lines]
    is_head = any(form.fullmatch(text) for text in texts for form in (_HEADING, _DATE, _FOOTER))
    if is_head and len(lines) <= _HEAD_LINES:
        parts.head += [line.number for line in lines]
    else:
        for line in lines:
            parts.leave_out(line, "stands before the first speaker")


def _read_lines(lines: Sequence[Line], parts: _Parts) -> None:
    """A segment for each line; a line without a label goes on with the last speaker."""
    split = [_split_clock(line) for line in lines]
    labels = Labels.of(text for _, text in split if text)
    named = [labels.split(text) for _, text in split]
    first = next((n for n, (speaker, _) in enumerate(named) if speaker), 0)
    while first and not split[first - 1][1]:
        first -= 1  # a line with nothing but a time, as Meet writes above the words
    _read_before_first(lines[:first], parts)
    speaker, clock = "", ""
    for line, (own_clock, _), (name, text) in list(zip(lines, split, named, strict=True))[first:]:
        speaker = name or speaker
        clock = own_clock or clock
        if text and _is_said(line, parts, has_name=bool(name)):
            start_ms = _start_ms(line, clock, parts)
            _add_segment(parts, line, ImportedSegment(text.strip(), speaker, start_ms))
            clock = ""


def _split_clock(line: Line) -> tuple[str, str]:
    match = _CLOCK_BEFORE.match(line.text)
    clock, end = (match["clock"], match.end()) if match else ("", 0)
    return clock, line.text[end:].strip()


def _start_ms(line: Line, clock: str, parts: _Parts) -> int | None:
    try:
        return milliseconds(clock) if clock else None
    except CueError:
        parts.leave_out(line, "has a time that cannot be read")
        return None


def _is_said(line: Line, parts: _Parts, *, has_name: bool = False) -> bool:
    """Whether a line can be words. Notes it among the unreadable ones if not."""
    text = line.text
    if _CLOCKS_IN_CELLS.search(text):
        parts.leave_out(line, "is not a line of speech")
    elif has_name:
        return True
    elif "-->" in text or _MARKUP.match(text) or _TABLE.fullmatch(text):
        parts.leave_out(line, "is not a line of speech")
    elif not any(character.isalpha() for character in text):
        parts.leave_out(line, "has no words")
    else:
        return True
    return False


def _add_segment(parts: _Parts, line: Line, segment: ImportedSegment) -> None:
    try:
        check_times(segment.start_ms, segment.end_ms)
    except CueError as error:
        parts.leave_out(line, str(error))
    else:
        parts.segments.append(segment)


def _count_from_first_time(parts: _Parts) -> None:
    """Make times since the first words of times of day, as Zoom saves them.

    No meeting is silent for its first hour, so a first time after that is one of the day.
    """
    first = parts.segments[0].start_ms if parts.segments else None
    if first is None or first < _HOUR_MS:
        return
    parts.notes.append(Note(NoteCode.TIMES_OF_DAY))
    parts.segments = [
        replace(segment, start_ms=((segment.start_ms or 0) - first) % _DAY_MS)
        for segment in parts.segments
    ]
