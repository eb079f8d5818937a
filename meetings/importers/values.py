"""The values that a transcript file is read into, and the error for a file that cannot be read."""

from __future__ import annotations

import re
from collections.abc import Sized
from dataclasses import dataclass

from core import errors
from meetings.text.notes import Note

# NUL, and half of a surrogate pair.
_NO_TEXT = re.compile(r"[\0\ud800-\udfff]")

LATEST_MS = 2**31 - 1  # the largest value of the columns: 24 days
MOST_SEGMENTS = 50_000
LONGEST_SPEAKER = 200


class NotATranscript(errors.Invalid):
    """The file is in none of the formats that can be read."""

    code = "transcript.not_readable"
    message = "This is no transcript: give JSON, WebVTT, SubRip, SBV or lines of text."


class CueError(Exception):
    """One cue, line or segment of a file cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class ImportedWord:
    """A word as it stands in its segment, with the space before it if there is one.

    `speaker` is empty where the word is its segment's speaker's.
    """

    start_ms: int
    end_ms: int
    text: str
    probability: float | None = None
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class ImportedSegment:
    """A timed part of a text; `speaker` is empty and the times are None where the file has none."""

    text: str
    speaker: str = ""
    start_ms: int | None = None
    end_ms: int | None = None
    words: tuple[ImportedWord, ...] = ()
    confidence: float | None = None

    def bare_words(self) -> list[tuple[int, int, str, float | None]]:
        """The words as they are stored: without the space before them."""
        return [(w.start_ms, w.end_ms, w.text.strip(), w.probability) for w in self.words]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A cue, line or segment that cannot be read, for example `line 7`, and why."""

    where: str
    reason: str

    @property
    def message(self) -> str:
        return f"{self.where[:1].upper()}{self.where[1:]} {self.reason}."


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """The result of one format's reader. `language` is as the file names it, or empty."""

    segments: tuple[ImportedSegment, ...]
    unreadable: tuple[Unreadable, ...] = ()
    language: str = ""
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportedTranscript:
    """A whole file. `language` is an ISO 639-1 code, empty where the file does not name one."""

    segments: tuple[ImportedSegment, ...]
    language: str = ""
    notes: tuple[Note, ...] = ()


def check_times(start_ms: int | None, end_ms: int | None) -> None:
    """Raise CueError when a segment cannot have these times."""
    if any(time is not None and not 0 <= time <= LATEST_MS for time in (start_ms, end_ms)):
        raise CueError("has a time that is not between 0 and 24 days")
    if start_ms is not None and end_ms is not None and end_ms < start_ms:
        raise CueError("ends before it starts")


def check_count(segments: Sized) -> None:
    """Raise NotATranscript for more segments than a transcript may have."""
    if len(segments) > MOST_SEGMENTS:
        raise NotATranscript(f"The transcript has more than {MOST_SEGMENTS} segments.")


def check_text(*texts: str) -> None:
    """Raise NotATranscript for characters that JSON can spell and no encoding can write."""
    if any(map(_NO_TEXT.search, texts)):
        raise NotATranscript("The transcript holds characters that are no text.")
