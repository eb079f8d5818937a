"""A transcript file as segments: JSON, WebVTT, SubRip, or lines of text with their speakers.

JSON is what `manage.py transcribe --out json` writes and what the REST API takes: an object with
`segments` (or `turns`) and perhaps `language`, or the list alone.
"""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import webvtt
from webvtt.errors import MalformedCaptionError, MalformedFileError
from webvtt.models import Caption, Timestamp

from core import errors

LARGEST_BYTES = 20 * 1024**2
LATEST_MS = 2**31 - 1  # 24 days, as in the REST API

# JSON can spell half of a character, or none; nobody can write them out again.
_NO_TEXT = re.compile(r"[\0\ud800-\udfff]")
# [0:12:07] Anna Berg: So we agreed.
_LINE = re.compile(
    r"\s*(?:\[?(?P<clock>\d{1,2}(?::\d{2}){1,2})\]?\s+)?"
    r"(?:(?P<speaker>[^\W\d_][^:\n]{0,58}?)\s*:\s+)?(?P<text>.*)"
)
_SUBRIP = re.compile(r"\s*\d+\s*\n\s*\d+:\d\d:\d\d,\d+\s*-->")
_LABELLED = re.compile(r"(?P<speaker>[^\W\d_][^:\n]{0,58}?):\s+(?P<text>.*)", re.DOTALL)


class NotATranscript(errors.Invalid):
    """The file is none of the formats that can be read."""

    code = "transcript.not_readable"
    sentence = "This is no transcript: give JSON, WebVTT, SubRip or lines of text."


@dataclass(frozen=True, slots=True)
class ImportedSegment:
    """A piece of text; `speaker` is empty and the times (ms) are None where the file has none."""

    text: str
    speaker: str = ""
    start_ms: int | None = None
    end_ms: int | None = None


@dataclass(frozen=True, slots=True)
class ImportedTranscript:
    """A whole file. `language` is an ISO 639-1 code, empty where the file does not say."""

    segments: tuple[ImportedSegment, ...]
    language: str = ""


def read_transcript(data: bytes) -> ImportedTranscript:
    """The transcript in these bytes, UTF-8; its format is found from the content.

    Raises NotATranscript, also for more than 20 MB. A file without words has no segments.
    """
    if len(data) > LARGEST_BYTES:
        raise NotATranscript("The transcript is larger than 20 MB.")
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise NotATranscript("The transcript is not UTF-8 text.") from error
    if "\0" in text:
        raise NotATranscript
    if text.lstrip()[:1] in ("{", "["):
        return _from_json(text)
    if text.startswith("WEBVTT") or _SUBRIP.match(text):
        return _from_captions(text, "vtt" if text.startswith("WEBVTT") else "srt")
    return ImportedTranscript(tuple(_from_lines(text)))


def _from_json(text: str) -> ImportedTranscript:
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        if text.lstrip().startswith("["):
            # [0:12] may open a line of plain text.
            return ImportedTranscript(tuple(_from_lines(text)))
        raise NotATranscript("The transcript is not valid JSON.") from error
    language = ""
    if isinstance(found, dict):
        language = str(found.get("language") or "")
        found = found.get("segments", found.get("turns"))
    if not isinstance(found, list):
        raise NotATranscript("The JSON has no list of segments.")
    segments = (_segment(piece) for piece in found)
    return ImportedTranscript(tuple(s for s in segments if s.text), _text(language))


def _segment(piece: Any) -> ImportedSegment:
    if not isinstance(piece, dict) or not isinstance(piece.get("text"), str):
        raise NotATranscript("Each segment is an object with a text.")
    start, end = _time(piece.get("start_ms")), _time(piece.get("end_ms"))
    speaker = _text(str(piece.get("speaker") or ""))
    return _in_time(ImportedSegment(_text(piece["text"]).strip(), speaker, start, end))


def _text(text: str) -> str:
    if _NO_TEXT.search(text):
        raise NotATranscript("The transcript holds characters that are no text.")
    return text


def _time(value: Any) -> int | None:
    if value is None:
        return None
    if type(value) is not int:
        raise NotATranscript("The times of a segment are whole milliseconds.")
    if not 0 <= value <= LATEST_MS:
        raise NotATranscript("The times of a segment are between 0 and 24 days.")
    return value


def _in_time(segment: ImportedSegment) -> ImportedSegment:
    start, end = segment.start_ms, segment.end_ms
    if start is not None and end is not None and end < start:
        raise NotATranscript("A segment ends before it starts.")
    return segment


def _from_captions(text: str, form: str) -> ImportedTranscript:
    try:
        read = webvtt.from_buffer(io.StringIO(text), format=form)
    except (MalformedFileError, MalformedCaptionError) as error:
        raise NotATranscript("The captions are not well formed.") from error
    return ImportedTranscript(tuple(_from_caption(c) for c in read.captions if c.text.strip()))


def _from_caption(caption: Caption) -> ImportedSegment:
    text = " ".join(html.unescape(caption.text).split())
    speaker = html.unescape(caption.voice or "")
    if not speaker and (labelled := _LABELLED.match(text)):
        speaker, text = labelled["speaker"], labelled["text"]
    start, end = _time(_ms(caption.start_time)), _time(_ms(caption.end_time))
    return _in_time(ImportedSegment(text, speaker, start, end))


def _ms(time: Timestamp) -> int:
    seconds = (time.hours * 60 + time.minutes) * 60 + time.seconds
    return int(seconds * 1000 + time.milliseconds)


def _from_lines(text: str) -> Iterator[ImportedSegment]:
    """Each line a segment; one without a speaker of its own goes on with the last one's."""
    speaker = ""
    for line in text.splitlines():
        found = _LINE.fullmatch(line)
        if found is None or not found["text"].strip():
            continue
        speaker = found["speaker"] or speaker
        yield ImportedSegment(found["text"].strip(), speaker, _clock_ms(found["clock"]))


def _clock_ms(clock: str | None) -> int | None:
    if clock is None:
        return None
    seconds = 0
    for part in clock.split(":"):
        seconds = seconds * 60 + int(part)
    return seconds * 1000
