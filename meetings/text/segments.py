"""What was said, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

# Start and end in ms, and the word without the spaces around it: the segment's text has those.
TimedWord = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Segment:
    """A timed part of a transcript; times in ms from the start, None where there are none."""

    text: str
    speaker: str = ""
    start_ms: int | None = None
    end_ms: int | None = None
    words: tuple[TimedWord, ...] = ()
