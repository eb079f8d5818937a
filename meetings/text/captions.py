"""Cuts speech into captions that can be read while it is heard.

A row is measured in cells: a wide character (UAX #11) takes two. Subtitlers agree on two rows of
42 cells, 5/6 to 7 seconds, 17 characters a second, and one caption at a time.
"""

from __future__ import annotations

import heapq
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from meetings.text.segments import Segment, TimedWord

_PAUSE_MS = 1_500
_CELLS_A_SECOND = 17
_SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？")  # noqa: RUF001
_SENTENCE_MAY_END_AT = 2 / 3  # of the cells a caption holds


class NoTimes(Exception):
    """No segment has a time, so no caption can be shown at one."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a caption stands and how much it holds."""

    shortest_ms: int = 833
    longest_ms: int = 7_000
    row_cells: int = 42
    rows: int = 2


@dataclass(slots=True)
class Row:
    """A row of a caption and who speaks in it."""

    speaker: str
    text: str


@dataclass(slots=True)
class Caption:
    """Rows that are shown from `start_ms` to `end_ms`: of one speaker, but in fast exchanges."""

    start_ms: int
    end_ms: int
    rows: list[Row] = field(default_factory=list)

    @property
    def cells(self) -> int:
        return sum(cells(row.text) for row in self.rows)


class _Word(NamedTuple):
    """A word as it is written, with the space before it if it has one."""

    start_ms: int
    end_ms: int
    text: str
    begins_segment: bool
    segment_end_ms: int


def captions(
    segments: Sequence[Segment], limits: Limits | None = None, *, named: bool = False
) -> list[Caption]:
    """All captions in order; with `named` the speaker's name stands before the words.

    Raises NoTimes.
    """
    if all(segment.start_ms is None for segment in segments):
        raise NoTimes
    limits = limits or Limits()
    # One row cannot hold a long name and a long word.
    longest_word = limits.row_cells // 2 if named and limits.rows == 1 else limits.row_cells
    words = _interleaved(_words_by_speaker(segments, longest_word), limits)
    found = list(_cut_captions(words, limits, named=named))
    _extend_for_reading(found, limits)
    return found


def cells(text: str) -> int:
    """Return how many cells a text takes in a row."""
    if text.isascii():
        return len(text)
    return sum(
        2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
        if not unicodedata.combining(character)
    )


def _words_by_speaker(segments: Sequence[Segment], longest_word: int) -> dict[str, list[_Word]]:
    """Return each speaker's words in the order of their segments' times."""
    spans = zip(segments, _spans(segments), strict=True)
    by_speaker: dict[str, list[_Word]] = {}
    for segment, (start, end) in sorted(spans, key=lambda pair: pair[1][0]):
        said = by_speaker.setdefault(_one_line(segment.speaker), [])
        words = _timed_words(segment, start, end)
        for at, (begins, ends, text) in enumerate(_fitting_rows(words, longest_word)):
            # The space counts only where a caption goes on from another segment.
            spaced = text if at else f" {text}"
            said.append(_Word(begins, ends, spaced, at == 0, max(end, ends)))
    return {speaker: words for speaker, words in by_speaker.items() if words}


def _spans(segments: Sequence[Segment]) -> list[tuple[int, int]]:
    """Return the start and end of each segment.

    Without a start it follows the one before; without an end it takes the time for reading, until
    the next one begins.
    """
    next_start: int | None = None
    next_starts: list[int | None] = []
    for segment in reversed(segments):
        next_starts.append(next_start)
        next_start = next_start if segment.start_ms is None else segment.start_ms
    spans: list[tuple[int, int]] = []
    for segment, following in zip(segments, reversed(next_starts), strict=True):
        start = segment.start_ms
        if start is None:
            start = spans[-1][1] if spans else 0
        end = segment.end_ms
        if end is None:
            end = start + cells(segment.text) * 1000 // _CELLS_A_SECOND
            end = min(end, following) if following is not None and following > start else end
        spans.append((start, max(start, end)))
    return spans


def _timed_words(segment: Segment, start: int, end: int) -> Iterable[TimedWord]:
    """Return a segment's words with the spaces of its text.

    Its text is spread over its time by length where it has no words, or others, as after an edit.
    """
    text = _one_line(segment.text)
    return _with_spaces(segment.words, text) or _spread_over_time(
        _breakable_parts(text), start, end
    )


def _with_spaces(words: Sequence[TimedWord], text: str) -> list[TimedWord]:
    """Return the words with the space before each; none if the text is not made of them."""
    spaced = []
    at = 0
    for start, end, word in words:
        bare = _one_line(word)
        begin = at + 1 if text.startswith(" ", at) else at
        if not text.startswith(bare, begin):
            return []
        spaced.append((start, end, text[at : begin + len(bare)]))
        at = begin + len(bare)
    return spaced if at == len(text) else []


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _breakable_parts(text: str) -> list[str]:
    """Return words with the space before them; a row may break between any wide characters."""
    parts: list[str] = []
    part = ""
    for character in text:
        wide = ord(character) > 0x2E7F and unicodedata.east_asian_width(character) in "WF"
        if part and (character == " " or wide):
            parts.append(part)
            part = ""
        part += character
    return [*parts, part] if part else parts


def _spread_over_time(parts: list[str], start: int, end: int) -> Iterator[TimedWord]:
    total = sum(map(len, parts)) or 1
    done = 0
    for part in parts:
        begins = start + (end - start) * done // total
        done += len(part)
        yield begins, start + (end - start) * done // total, part


def _fitting_rows(words: Iterable[TimedWord], most: int) -> Iterator[TimedWord]:
    """Yield the words; one that is longer than a row is cut."""
    for word in words:
        if len(word[2]) * 2 <= most or cells(word[2].strip()) <= most:
            yield word
        else:
            step = max(1, most // 2)
            text = word[2]
            yield from _spread_over_time(
                [text[at : at + step] for at in range(0, len(text), step)], word[0], word[1]
            )


def _interleaved(by_speaker: dict[str, list[_Word]], limits: Limits) -> Iterator[tuple[str, _Word]]:
    """Yield all words in the order in which they are shown.

    A segment that begins interrupts another speaker, unless that one is about to end; speakers who
    go on together have a row each in turn.
    """
    speakers = list(by_speaker)
    done = [0] * len(speakers)
    waiting = [(words[0].start_ms, index) for index, words in enumerate(by_speaker.values())]
    heapq.heapify(waiting)
    while waiting:
        _, index = heapq.heappop(waiting)
        words = by_speaker[speakers[index]]
        taken = 0
        while done[index] < len(words):
            word = words[done[index]]
            if taken and waiting and waiting[0][0] < word.start_ms:
                other = waiting[0][1]
                begins = by_speaker[speakers[other]][done[other]].begins_segment
                goes_on = word.segment_end_ms - waiting[0][0] > limits.shortest_ms
                if (begins and goes_on) or taken >= limits.row_cells:
                    heapq.heappush(waiting, (word.start_ms, index))
                    break
            taken += cells(word.text)
            done[index] += 1
            yield speakers[index], word


def _cut_captions(
    words: Iterable[tuple[str, _Word]], limits: Limits, *, named: bool
) -> Iterator[Caption]:
    caption: Caption | None = None
    named_last = ""
    free_at = 0  # when the captions before this one can have been read
    for speaker, word in words:
        if caption is not None and _begins_new_caption(
            caption, word, speaker, limits, is_late=free_at > word.start_ms
        ):
            yield caption
            free_at = max(free_at, caption.start_ms) + limits.shortest_ms
            # After two who shared a caption it is not plain who goes on.
            named_last = "" if caption.rows[0].speaker != caption.rows[-1].speaker else named_last
            caption = None
        if caption is None:
            caption = Caption(word.start_ms, word.end_ms)
        if not caption.rows or caption.rows[-1].speaker != speaker:
            is_named = named and speaker and speaker != named_last
            caption.rows.append(
                Row(speaker, _name_prefix(speaker, limits.row_cells) if is_named else "")
            )
            named_last = speaker
        _append_word(caption, word.text, limits)
        caption.end_ms = max(caption.end_ms, word.end_ms)
    if caption is not None:
        yield caption


def _name_prefix(speaker: str, row_cells: int) -> str:
    """Return the name before the words; a long one is shortened, because they share a row."""
    most = row_cells // 2 - 2
    while cells(speaker) > most:
        speaker = f"{speaker[:-2].rstrip()}…"
    return f"{speaker}: "


def _begins_new_caption(
    caption: Caption, word: _Word, speaker: str, limits: Limits, *, is_late: bool
) -> bool:
    """Whether the word begins another caption.

    The words of another speaker do, unless they would come too late: then they get a row of this.
    """
    last = caption.rows[-1]
    changes = last.speaker != speaker
    rows_full = len(caption.rows) >= limits.rows
    full = limits.row_cells * limits.rows
    return (
        (changes and (rows_full or not is_late or cells(word.text) > limits.row_cells // 2))
        or (rows_full and cells(last.text + word.text) > limits.row_cells)
        or word.end_ms - caption.start_ms > limits.longest_ms
        or word.start_ms - caption.end_ms > _PAUSE_MS
        or (
            word.begins_segment
            and not changes
            and caption.end_ms - caption.start_ms >= limits.shortest_ms
        )
        or (caption.cells > full * _SENTENCE_MAY_END_AT and last.text.endswith(_SENTENCE_ENDS))
    )


def _append_word(caption: Caption, text: str, limits: Limits) -> None:
    """Put a word at the end of the last row, or at the beginning of a new one."""
    last = caption.rows[-1]
    if not last.text or last.text.endswith(" "):
        text = text.lstrip()
    if cells(last.text + text) <= limits.row_cells:
        last.text += text
    else:
        caption.rows.append(Row(last.speaker, text.lstrip()))


def _extend_for_reading(found: list[Caption], limits: Limits) -> None:
    """Extend short captions where there is time; none begins before the one before it ends."""
    ended = 0
    for caption, following in zip(found, [*found[1:], None], strict=True):
        is_late = caption.start_ms < ended
        caption.start_ms = max(caption.start_ms, ended)
        end = _end_ms(caption, following, limits, is_late=is_late)
        caption.end_ms = ended = max(end, caption.start_ms + limits.shortest_ms)


def _end_ms(caption: Caption, following: Caption | None, limits: Limits, *, is_late: bool) -> int:
    """Return the end of a caption.

    Captions that are late, or spoken over, share the time until both have been said, by length.
    """
    start, latest = caption.start_ms, caption.start_ms + limits.longest_ms
    spoken = min(caption.end_ms, latest)
    wanted = min(max(spoken, start + caption.cells * 1000 // _CELLS_A_SECOND), latest)
    if following is None or following.start_ms >= wanted:
        return wanted
    if spoken <= following.start_ms and not is_late:
        return following.start_ms
    both_said = max(caption.end_ms, following.end_ms) - start
    share = both_said * caption.cells // max(1, caption.cells + following.cells)
    return min(max(following.start_ms, start + share), wanted)
