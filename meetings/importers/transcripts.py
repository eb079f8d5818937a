"""Reads a transcript file of any format that can be read.

The content decides which format it is: services name their files and types as they like.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from meetings.importers import json_documents, plain_text, sbv, subrip, webvtt
from meetings.importers.encodings import UTF_8, decode
from meetings.importers.values import (
    LONGEST_SPEAKER,
    MOST_SEGMENTS,
    ImportedTranscript,
    NotATranscript,
    ParsedFile,
    check_count,
    check_text,
)
from meetings.text.notes import Note, NoteCode

LARGEST_BYTES = 20 * 1024**2
_LINES_A_SEGMENT = 8
_SKIPPED_OF = 100  # one of so many cues may be unreadable, and one at least

READERS: dict[str, Callable[[str], ParsedFile]] = {
    "JSON": json_documents.read,
    "WebVTT": webvtt.read,
    "SubRip": subrip.read,
    "SBV": sbv.read,
    "text": plain_text.read,
}
# What a sender calls the file. It never chooses the reader; but lines of no known format are text
# only where they are not announced as something else.
_ANNOUNCED = {
    "application/json": "JSON",
    "text/vtt": "WebVTT",
    "application/x-subrip": "SubRip",
    "application/srt": "SubRip",
    "text/srt": "SubRip",
    "text/x-srt": "SubRip",
    "text/sbv": "SBV",
    "text/x-sbv": "SBV",
    ".json": "JSON",
    ".vtt": "WebVTT",
    ".srt": "SubRip",
    ".sbv": "SBV",
}
_ARROWS = re.compile(r"^[ \t]*\d[^\n]{0,40}-->", re.MULTILINE)
_SBV_TIMES = re.compile(r"\s*\d{1,4}:\d\d:\d\d\.\d{1,3},\d{1,4}:\d\d:\d\d\.\d{1,3}\s")
# [0:12] and [Anna Berg] may open a line of plain text.
_JSON = re.compile(r"\s*(?:\{|\[\s*[\[{\]\"\d-])")
_PLAIN = re.compile(r"\s*\[[^\]\n{\"]{1,60}\]")


def read_transcript(
    data: bytes, *, media_type: str = "", filename: str = "", charset: str = ""
) -> ImportedTranscript:
    """Return the transcript in these bytes; a file without words has no segments.

    Up to one in a hundred cues, or one, may be unreadable: it is skipped and named in `notes`.
    Raises NotATranscript for more of them, for files of no known format and for more than 20 MB.
    """
    if len(data) > LARGEST_BYTES:
        raise NotATranscript("The transcript is larger than 20 MB.")
    text, encoding = decode(data, charset=charset)
    text = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\x1a")
    # So many that each segment has its empty line, its counter, its times and several rows.
    if text.count("\n") > _LINES_A_SEGMENT * MOST_SEGMENTS:
        raise NotATranscript("The transcript has more lines than can be read.")
    parsed = READERS[_detect_format(text, media_type, filename)](text)
    notes = [Note(NoteCode.ENCODING_RECOGNISED, {"encoding": encoding})]
    return _checked(parsed, notes if encoding != UTF_8 else [])


def read_json(value: Any) -> ImportedTranscript:
    """Return the transcript in a parsed JSON value. Raises NotATranscript."""
    return _checked(json_documents.read_value(value), [])


def _detect_format(text: str, media_type: str, filename: str) -> str:
    """Return a key of READERS; raises NotATranscript where another format was announced."""
    if text.startswith("WEBVTT"):
        return "WebVTT"
    if _JSON.match(text) and not _PLAIN.match(text):
        return "JSON"
    if _SBV_TIMES.match(text):
        return "SBV"
    if _ARROWS.search(text):
        return "SubRip"
    suffix = PurePath(filename).suffix.lower()
    announced = _ANNOUNCED.get(media_type) or _ANNOUNCED.get(suffix)
    if announced and text.strip():
        raise NotATranscript(f"Line 1 is not the beginning of a file in {announced}.")
    return "text"


def _checked(parsed: ParsedFile, notes: list[Note]) -> ImportedTranscript:
    """Raise NotATranscript for too many unreadable cues, and for what cannot be stored."""
    unreadable = parsed.unreadable
    total = len(parsed.segments) + len(unreadable)
    if len(unreadable) > max(1, total // _SKIPPED_OF) or len(unreadable) == total > 0:
        more = len(unreadable) - 1
        also = f" {more} more cannot be read." if more else ""
        raise NotATranscript(f"{unreadable[0].message}{also}")
    check_count(parsed.segments)
    for segment in parsed.segments:
        check_text(segment.text, segment.speaker, *(word.text for word in segment.words))
        if len(segment.speaker) > LONGEST_SPEAKER:
            raise NotATranscript(f"A speaker's name is longer than {LONGEST_SPEAKER} characters.")
    if unreadable:
        where = [cue.where for cue in unreadable]
        notes = [*notes, Note(NoteCode.CUES_SKIPPED, {"where": where})]
    return ImportedTranscript(parsed.segments, parsed.language, (*notes, *parsed.notes))
