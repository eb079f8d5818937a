"""Words become captions: cut where they can be read while they are heard.

A row is measured in cells: a wide character (UAX #11) takes two. What is usual: two rows of 42
cells, 5/6 to 7 seconds, 17 characters a second, and never two captions at once.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from exports.renderers.clean import one_line
from exports.renderers.minutes import Minutes, Segment, TimedWord
from exports.renderers.options import Options

_PAUSE_MS = 1_500
_CELLS_A_SECOND = 17
_SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？")  # noqa: RUF001
_SENTENCE_MAY_END_AT = 2 / 3  # of the cells a caption holds


class NoTimes(Exception):
    """Nothing that was said has a time, so nothing can be shown at one."""


@dataclass(slots=True)
class Caption:
    """Rows that are shown from one moment (ms) to another."""

    start_ms: int
    end_ms: int
    speaker: str
    rows: list[str] = field(default_factory=list)
    cells: int = 0


def captions(minutes: Minutes, options: Options, *, named: bool = False) -> list[Caption]:
    """All captions in order; `named` leaves room for the speaker in the first row.

    Raises NoTimes.
    """
    if not minutes.has_times:
        raise NoTimes
    found: list[Caption] = []
    before = ""
    for segment in minutes.segments:
        speaker = one_line(segment.speaker) if options.speakers else ""
        opening = f"{speaker}: " if named and speaker and speaker != before else ""
        found.extend(_cut(_timed_words(segment), speaker, opening, options))
        before = speaker
    found.sort(key=lambda caption: caption.start_ms)
    _time_for_reading(found, options)
    return found


def cells(text: str) -> int:
    """How many cells a text takes in a row."""
    if text.isascii():
        return len(text)
    return sum(_cells_of(character) for character in text)


def _cells_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _timed_words(segment: Segment) -> Iterator[TimedWord]:
    """Its words; without them, its text shared out over its time by length."""
    if segment.start_ms is None:
        return
    if segment.words and one_line("".join(word[2] for word in segment.words)) == one_line(
        segment.text
    ):
        yield from segment.words
        return
    text = one_line(segment.text)
    end = segment.end_ms if segment.end_ms is not None else segment.start_ms
    yield from _shared_out(_pieces(text), segment.start_ms, max(end, segment.start_ms))


def _pieces(text: str) -> list[str]:
    """Words with the space before them; between wide characters a row may break anywhere."""
    pieces: list[str] = []
    held = ""
    for character in text:
        wide = ord(character) > 0x2E7F and unicodedata.east_asian_width(character) in "WF"
        if held and (character == " " or wide):
            pieces.append(held)
            held = ""
        held += character
    return [*pieces, held] if held else pieces


def _shared_out(pieces: list[str], start: int, end: int) -> Iterator[TimedWord]:
    total = sum(map(len, pieces)) or 1
    done = 0
    for piece in pieces:
        begins = start + (end - start) * done // total
        done += len(piece)
        yield begins, start + (end - start) * done // total, piece


def _cut(
    words: Iterable[TimedWord], speaker: str, opening: str, options: Options
) -> Iterator[Caption]:
    """Captions of one segment."""
    full = options.maximum_characters_per_row * options.maximum_rows_per_caption
    held: Caption | None = None
    for word in _that_fit(words, options.maximum_characters_per_row):
        if held is not None and _is_over(held, word, full, options):
            yield held
            held = None
        if held is None:
            held = Caption(word[0], word[1], speaker)
            if opening:
                _add(held, opening, options)
                opening = ""
        _add(held, word[2], options)
        held.end_ms = max(held.end_ms, word[1])
    if held is not None:
        yield held


def _that_fit(words: Iterable[TimedWord], most: int) -> Iterator[TimedWord]:
    """Words of at most a row; what is longer is cut, for a row cannot be left."""
    for word in words:
        if len(word[2]) * 2 <= most or cells(word[2].strip()) <= most:
            yield word
        else:
            step = max(1, most // 2)
            text = word[2]
            yield from _shared_out(
                [text[at : at + step] for at in range(0, len(text), step)], word[0], word[1]
            )


def _is_over(held: Caption, word: TimedWord, full: int, options: Options) -> bool:
    last = held.rows[-1]
    added = cells(word[2] if last else word[2].lstrip())
    rows_full = len(held.rows) >= options.maximum_rows_per_caption
    return (
        (rows_full and cells(last) + added > options.maximum_characters_per_row)
        or word[1] - held.start_ms > options.maximum_duration * 1000
        or word[0] - held.end_ms > _PAUSE_MS
        or (held.cells > full * _SENTENCE_MAY_END_AT and last.endswith(_SENTENCE_ENDS))
    )


def _add(held: Caption, text: str, options: Options) -> None:
    """Put a piece at the end of the last row, or at the beginning of a new one."""
    text = text.replace("\n", " ")
    held.cells += cells(text)
    if held.rows and cells(held.rows[-1] + text) <= options.maximum_characters_per_row:
        held.rows[-1] += text
    else:
        held.rows.append(text.lstrip())


def _time_for_reading(found: list[Caption], options: Options) -> None:
    """Let short captions stand longer where there is time, and none begin before another ends."""
    shortest, longest = options.minimum_duration * 1000, options.maximum_duration * 1000
    ended = 0
    for at, caption in enumerate(found):
        caption.start_ms = max(caption.start_ms, ended)
        following = found[at + 1].start_ms if at + 1 < len(found) else None
        reading = caption.cells * 1000 / _CELLS_A_SECOND
        wanted = caption.start_ms + min(max(shortest, reading), longest)
        spoken = min(caption.end_ms, caption.start_ms + longest)
        end = max(spoken, wanted)
        if following is not None and end > following:
            end = max(following, min(spoken, caption.start_ms + shortest))
        caption.end_ms = ended = max(round(end), caption.start_ms + 1)


def shown_rows(caption: Caption) -> list[str]:
    """Its rows without the spaces around them; none is empty."""
    return [row.strip() for row in caption.rows if row.strip()]
