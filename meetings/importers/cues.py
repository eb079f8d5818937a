"""The shape that WebVTT, SubRip and SBV share: blocks of lines with times and text."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, groupby

from meetings.importers.names import Labels
from meetings.importers.values import (
    CueError,
    ImportedSegment,
    ImportedWord,
    ParsedFile,
    Unreadable,
    check_times,
)
from meetings.importers.words import align, share

CLOCK = r"(?:\d{1,4}:)?\d{1,2}:\d{1,2}(?:[.,]\d{1,3})?"
_CLOCK = re.compile(
    r"(?:(?P<hours>\d{1,4}):)?(?P<minutes>\d{1,2}):(?P<seconds>\d{1,2})(?:[.,](?P<part>\d{1,3}))?"
)
ARROW = re.compile(rf"\s*(?P<start>{CLOCK})\s*-->\s*(?P<end>{CLOCK})(?:\s.*)?")
# Only known tags are markup: "a < b" and "<unk>" are text. Bounded, as nothing may end a tag.
_TAG = re.compile(
    rf"<(?:(?P<time>{CLOCK})|v(?:\.[^\s<>]{{0,100}})?\s(?P<voice>[^<>]{{0,300}})"
    r"|(?P<end>/v)|/?(?:v|c|i|b|u|s|ruby|rt|lang|font)(?:[.\s][^<>]{0,300})?)>"
    r"|\{\\[^{}]{0,100}\}",
    re.IGNORECASE,
)
# In broadcast captions: another person speaks. It does not say who.
_CHANGE = re.compile(r"\s*>>+\s*")


@dataclass(frozen=True, slots=True)
class Run:
    """Words of one voice. `start_ms` is the time mark before them, if there is one."""

    text: str
    voice: str = ""
    start_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Cue:
    """A timed block: the number of its first line in the file, and its lines of text as runs."""

    number: int
    start_ms: int
    end_ms: int
    rows: tuple[tuple[Run, ...], ...]

    @property
    def texts(self) -> list[str]:
        return [row_text(row) for row in self.rows]


@dataclass(slots=True)
class Block:
    """Lines between empty ones; `number` is that of the first in the file, from 1."""

    number: int
    lines: list[str] = field(default_factory=list)


def milliseconds(clock: str) -> int:
    """The time as in `1:02:03.450`, `02:03` or `00:02:03,450`. Raises CueError."""
    match = _CLOCK.fullmatch(clock)
    if match is None or int(match["minutes"]) > 59 or int(match["seconds"]) > 59:
        raise CueError("has a time that cannot be read")
    minutes = int(match["hours"] or 0) * 60 + int(match["minutes"])
    return (minutes * 60 + int(match["seconds"])) * 1000 + int((match["part"] or "0").ljust(3, "0"))


def blocks(lines: Sequence[str], *, timing: re.Pattern[str], first: int = 0) -> Iterator[Block]:
    """The blocks from line index `first` on.

    A line of times begins a block also where the empty line before it is missing; so does a
    counter just above it.
    """
    block, has_times = Block(first + 1), False
    for index in range(first, len(lines)):
        line = lines[index]
        is_timing = timing.fullmatch(line) is not None
        is_counter = line.strip().isdigit() and index + 1 < len(lines)
        begins = is_timing or (is_counter and timing.fullmatch(lines[index + 1]))
        if not line or (has_times and begins):
            if block.lines:
                yield block
            block, has_times = Block(index + 1), False
        if line:
            block.number = block.number if block.lines else index + 1
            block.lines.append(line)
            has_times = has_times or is_timing
    if block.lines:
        yield block


def read_cues(
    found: Iterable[Block], *, timing: re.Pattern[str]
) -> tuple[list[Cue], list[Unreadable]]:
    """The cues in these blocks, and the blocks that are none."""
    cues: list[Cue] = []
    unreadable: list[Unreadable] = []
    for block in found:
        try:
            cue = _parse_cue(block, timing)
        except CueError as error:
            unreadable.append(Unreadable(f"line {block.number}", str(error)))
        else:
            cues.append(cue)
    return cues, unreadable


def _parse_cue(block: Block, timing: re.Pattern[str]) -> Cue:
    """Raises CueError."""
    # A line above the times names the cue: a counter or an identifier.
    times = ((at, timing.fullmatch(line)) for at, line in enumerate(block.lines[:2]))
    at, match = next(((at, match) for at, match in times if match), (0, None))
    if match is None:
        raise CueError("has no times that can be read")
    start, end = milliseconds(match["start"]), milliseconds(match["end"])
    check_times(start, end)
    payload = block.lines[at + 1 :]
    if any("-->" in line for line in payload):
        raise CueError("has an arrow in its text")
    return Cue(block.number, start, end, tuple(_parse_rows(payload)))


def _parse_rows(payload: list[str]) -> Iterator[tuple[Run, ...]]:
    """Each line of text that is not empty as runs; a voice lasts until it is ended or changes."""
    voice, start = "", None
    for line in payload:
        row: list[Run] = []
        position = 0
        for tag in _TAG.finditer(line):
            row.append(Run(line[position : tag.start()], voice, start))
            position = tag.end()
            if tag["time"] is not None:
                start = milliseconds(tag["time"])
            elif tag["voice"] is not None:
                voice = " ".join(html.unescape(tag["voice"]).split())
            elif tag["end"]:
                voice = ""
        row.append(Run(line[position:], voice, start))
        kept = tuple(replace(run, text=html.unescape(run.text)) for run in row if run.text)
        if row_text(kept):
            yield kept


def row_text(row: Iterable[Run]) -> str:
    """The words of a row with single spaces."""
    return " ".join("".join(run.text for run in row).split())


def parsed(
    cues: list[Cue],
    unreadable: list[Unreadable],
    *,
    language: str = "",
    labels_last: bool,
) -> ParsedFile:
    """The segments of all cues. `labels_last`: a cue without a label goes on with the last one's.

    Where a file has voices, or its labels are no names, words before a colon are words.
    """
    has_voices = any(run.voice for cue in cues for row in cue.rows for run in row)
    texts = () if has_voices else (text for cue in cues for text in cue.texts)
    speakers = _Speakers(Labels.of(texts), labels_last)
    segments = [segment for cue in cues for segment in _cue_segments(cue, speakers)]
    return ParsedFile(tuple(segments), tuple(unreadable), language)


@dataclass(slots=True)
class _Speakers:
    """Splits the rows of cues where another person begins to speak."""

    labels: Labels
    labels_last: bool
    last: str = ""

    def turns(self, cue: Cue) -> Iterator[tuple[str, list[Run]]]:
        """Each speaker of a cue with the runs that are theirs, in order."""
        if not self.labels_last:
            self.last = ""
        turns: list[tuple[str, list[Run]]] = []
        for row in cue.rows:
            for voice, runs in groupby(row, key=lambda run: run.voice):
                speaker, words, begins = self._spoken(voice, list(runs))
                if begins or not turns or turns[-1][0] != speaker:
                    turns.append((speaker, []))
                turns[-1][1].extend([*words, Run("\n")])
        yield from turns

    def _spoken(self, voice: str, runs: list[Run]) -> tuple[str, list[Run], bool]:
        """The speaker, the runs without a label or dash, and whether another person begins."""
        if voice:
            return voice, runs, False
        text = "".join(run.text for run in runs)
        name, rest = self.labels.split(text)
        change = _CHANGE.match(text)
        if name:
            self.last = name
        elif change:
            self.last, rest = "", text[change.end() :]
        else:
            return self.last, runs, False
        return self.last, _without_start(runs, len(text) - len(rest)), True


def _without_start(runs: list[Run], count: int) -> list[Run]:
    """The runs without their first `count` characters."""
    kept = []
    for run in runs:
        text, count = run.text[count:], max(count - len(run.text), 0)
        kept.append(replace(run, text=text))
    return kept


def _cue_segments(cue: Cue, speakers: _Speakers) -> Iterator[ImportedSegment]:
    """A segment for each turn of the cue; turns share its time by the length of their texts."""
    turns = [(who, runs, text) for who, runs in speakers.turns(cue) if (text := row_text(runs))]
    ends = share([text for _, _, text in turns], cue.start_ms, cue.end_ms)
    for (speaker, runs, text), times in zip(turns, ends, strict=True):
        words = align(text, _timed_words(runs, cue))
        own = (words[0].start_ms, max(word.end_ms for word in words)) if words else times
        yield ImportedSegment(text, speaker, *own, words)


def _timed_words(runs: list[Run], cue: Cue) -> list[ImportedWord]:
    """The words of runs with time marks; words between two marks share the time by length."""
    spoken = [run for run in runs if run.text.strip()]
    if all(run.start_ms is None for run in spoken):
        return []
    marks = [cue.start_ms if run.start_ms is None else run.start_ms for run in spoken]
    # Marks outside their cue, or running backwards, would make words of negative length.
    starts = list(accumulate((min(mark, cue.end_ms) for mark in marks), max))
    found = []
    for run, start, end in zip(spoken, starts, [*starts[1:], cue.end_ms], strict=True):
        words = run.text.split()
        for word, times in zip(words, share(words, start, end), strict=True):
            found.append(ImportedWord(*times, word))
    return found
