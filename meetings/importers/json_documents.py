"""Reads JSON transcripts of Minutebook itself and of the programs around Whisper.

Each dialect lists every field that it is known to have. A field that is not among them stops the
import: it might hold what the reader is expected to keep.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from meetings.importers.values import (
    CueError,
    ImportedSegment,
    ImportedWord,
    NotATranscript,
    ParsedFile,
    Unreadable,
    check_count,
    check_text,
    check_times,
)
from meetings.importers.words import align
from meetings.text.language_tags import base_language
from meetings.text.notes import Note, NoteCode

Object = Mapping[str, Any]
Times = tuple[int | None, int | None]

_TAG = re.compile(r"[a-z]{2,3}(?:[-_][a-z0-9]{2,8}){0,3}", re.IGNORECASE)
# OpenAI's API writes "english".
_NAMES_OF_LANGUAGES = tomllib.loads((Path(__file__).parent / "languages.toml").read_text("utf-8"))
_LANGUAGES = {name: code for code, name in _NAMES_OF_LANGUAGES.items()}


def _times_in_ms(item: Object) -> Times:
    """`start_ms` and `end_ms`, as Minutebook writes them."""
    return _whole_ms(item.get("start_ms")), _whole_ms(item.get("end_ms"))


def _whole_ms(value: Any) -> int | None:
    if value is None or type(value) is int:
        return value
    raise CueError("has a time that is not in whole milliseconds")


def _times_in_seconds(item: Object) -> Times:
    """`start` and `end` in seconds, as most Whisper programs write them."""
    return _from_seconds(item.get("start")), _from_seconds(item.get("end"))


def _times_of_offsets(item: Object) -> Times:
    """`offsets` in milliseconds, as whisper.cpp writes them."""
    offsets = item.get("offsets")
    if not isinstance(offsets, Mapping):
        return None, None
    return _whole_ms(offsets.get("from")), _whole_ms(offsets.get("to"))


def _times_of_timestamp(item: Object) -> Times:
    """`timestamp` with two numbers of seconds; the last end may be missing (Transformers)."""
    times = item.get("timestamp")
    if times is None:
        return None, None
    if not isinstance(times, Sequence) or len(times) != 2:
        raise CueError("has a timestamp that is not two times")
    return _from_seconds(times[0]), _from_seconds(times[1])


def _from_seconds(value: Any) -> int | None:
    if value is None:
        return None
    if type(value) not in (int, float) or not math.isfinite(value):
        raise CueError("has a time that is not a number of seconds")
    return round(value * 1000)


@dataclass(frozen=True, slots=True)
class Dialect:
    """The shape of one kind of document: its list of segments, and all fields that it may have.

    `words` is the field of a segment with its words.
    """

    segments: str
    fields: frozenset[str]
    segment_fields: frozenset[str]
    word_fields: frozenset[str]
    times: Callable[[Object], Times]
    words: str = "words"


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# POST .../transcript/, and `manage.py transcribe`.
OWN = Dialect(
    "segments",
    _names("language segments turns"),
    _names("id position text speaker start_ms end_ms confidence words"),
    _names("start_ms end_ms text probability"),
    _times_in_ms,
)
TRANSCRIBED = replace(OWN, fields=_names("language engine confidence notes segments"))
# GET .../transcript/, and the JSON of an export.
SHOWN = replace(
    OWN,
    segments="results",
    fields=_names("transcript transcripts recordings_not_included segments"),
    segment_fields=OWN.segment_fields | _names("transcript recording"),
)
EXPORT = replace(
    OWN,
    segments="transcript",
    fields=_names(
        "format version meeting_id revision title details participants stakeholders brief summary"
        " decisions action_items topics notes transcript"
    ),
)
# openai-whisper and the API of OpenAI, faster-whisper, WhisperX, whisper-timestamped, stable-ts.
WHISPER = Dialect(
    "segments",
    _names(
        "text segments language duration task words word_segments usage language_probability"
        " language_probs x_groq ori_dict regroup_history nonspeech_sections"
    ),
    _names(
        "id seek start end text tokens temperature avg_logprob compression_ratio no_speech_prob"
        " words speaker confidence chars type transient language"
    ),
    _names(
        "word text start end probability score confidence speaker tokens id segment_id"
        " left_locked right_locked"
    ),
    _times_in_seconds,
)
WHISPER_CPP = Dialect(
    "transcription",
    _names("systeminfo model params result transcription"),
    _names("timestamps offsets text tokens speaker speaker_turn_next"),
    _names("text timestamps offsets id p t_dtw"),
    _times_of_offsets,
    words="tokens",
)
TRANSFORMERS = Dialect(
    "chunks",
    _names("text chunks speakers language"),
    _names("text timestamp speaker language"),
    frozenset(),
    _times_of_timestamp,
)
TRANSFORMERS_SPEAKERS = replace(TRANSFORMERS, segments="speakers")


def dialect_of(value: Any) -> Dialect | None:
    """Return the dialect that a document's fields show; None for an unknown one."""
    if not isinstance(value, Mapping):
        return OWN if isinstance(value, list) and not _has_seconds(value) else None
    segments = value.get("segments")
    signs = (
        (value.get("format") == "minutebook.meeting", EXPORT),
        ("transcription" in value, WHISPER_CPP),
        (
            bool(value.get("speakers")) and "chunks" in value,
            replace(TRANSFORMERS, segments="speakers"),
        ),
        ("chunks" in value, TRANSFORMERS),
        (isinstance(segments, Mapping) and "results" in segments, SHOWN),
        ("engine" in value and "confidence" in value, TRANSCRIBED),
        ("text" in value or _has_seconds(segments), WHISPER),
        ("segments" in value, OWN),
        ("turns" in value, replace(OWN, segments="turns")),
    )
    return next((dialect for is_sign, dialect in signs if is_sign), None)


def _has_seconds(segments: Any) -> bool:
    """Whether segments have times in seconds, which Minutebook never writes."""
    if not isinstance(segments, list):
        return False
    return any(isinstance(item, Mapping) and "start" in item for item in segments)


def read(text: str) -> ParsedFile:
    """The segments of a document. Raises NotATranscript."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise NotATranscript(f"Line {error.lineno} is not valid JSON.") from error
    except (ValueError, RecursionError) as error:
        raise NotATranscript("The transcript is not valid JSON.") from error
    return read_value(value)


def read_value(value: Any) -> ParsedFile:
    """The segments of a document that has been read as JSON. Raises NotATranscript."""
    document = {"segments": value} if isinstance(value, list) else value
    dialect = dialect_of(document)
    if dialect is None:
        raise NotATranscript("The JSON has no list of segments.")
    _check_fields(document, dialect.fields, "")
    language, notes = _language(document)
    reader = _Reader(dialect, document)
    segments, unreadable = reader.read()
    if reader.without_words:
        notes.append(Note(NoteCode.WORD_TIMES_LEFT_OUT, {"where": reader.without_words}))
    return ParsedFile(tuple(segments), tuple(unreadable), language, tuple(notes))


def _check_fields(item: Object, known: Collection[str], path: str) -> None:
    unknown = sorted(f"{path}{name}" for name in item if name not in known)
    if unknown:
        check_text(*unknown)
        raise NotATranscript(
            f"The field {unknown[0]} is not known in a transcript of this kind.",
            fields={name: ["There is no such field."] for name in unknown[:20]},
        )


class _Reader:
    """Reads the segments of one document."""

    def __init__(self, dialect: Dialect, document: Object) -> None:
        self._dialect = dialect
        self._path = dialect.segments
        self._items = _items(dialect, document)
        # OpenAI's API lists the words beside the segments.
        self._words = document.get("words") or ()
        self._next_word = 0
        self.without_words: list[str] = []

    def read(self) -> tuple[list[ImportedSegment], list[Unreadable]]:
        """The segments with words in them, and those that cannot be read."""
        segments: list[ImportedSegment] = []
        unreadable: list[Unreadable] = []
        for number, item in enumerate(self._items):
            where = f"{self._path}.{number}"
            try:
                segments.extend(self._segments(item, where))
            except CueError as error:
                unreadable.append(Unreadable(where, str(error)))
        return segments, unreadable

    def _segments(self, item: Any, where: str) -> Iterator[ImportedSegment]:
        if not isinstance(item, Mapping):
            raise CueError("is not an object with a text")
        _check_fields(item, self._dialect.segment_fields, f"{where}.")
        text, speaker = _text(item, "text"), _text(item, "speaker", "")
        start, end = self._dialect.times(item)
        check_times(start, end)
        if not text:
            return
        segment = ImportedSegment(text, speaker, start, end, confidence=_probability(item))
        given = list(self._given_words(item, segment, where))
        words = align(text, given)
        if given and not words:
            self.without_words.append(where)
        yield from _split_by_speaker(replace(segment, words=words))

    def _given_words(
        self, item: Object, segment: ImportedSegment, where: str
    ) -> Iterator[ImportedWord]:
        """Yield the words of a segment; those without times get the times between their neighbours.

        WhisperX gives no times to numbers.
        """
        if segment.start_ms is None:
            return
        path = f"{where}.{self._dialect.words}"
        words = list(map(_object, item.get(self._dialect.words) or self._words_until(segment)))
        if self._dialect is WHISPER_CPP:
            words = _words_of_tokens(words)
        for number, word in enumerate(words):
            _check_fields(word, self._dialect.word_fields, f"{path}.{number}.")
        times = _with_missing_times([self._dialect.times(word) for word in words], segment)
        for word, (start, end) in zip(words, times, strict=True):
            check_times(start, end)
            text = _text(word, "word" if "word" in word else "text", strip=False)
            yield ImportedWord(start, end, text, _probability(word), _text(word, "speaker", ""))

    def _words_until(self, segment: ImportedSegment) -> list[Any]:
        """Return the words listed beside the segments that begin before this one ends."""
        start = self._next_word
        while self._next_word < len(self._words):
            begins, _ = self._dialect.times(_object(self._words[self._next_word]))
            if begins is not None and segment.end_ms is not None and begins >= segment.end_ms:
                break
            self._next_word += 1
        return list(self._words[start : self._next_word])


def _items(dialect: Dialect, document: Object) -> Sequence[Any]:
    """The list of segments. Raises NotATranscript."""
    holder = document
    if dialect is SHOWN:
        holder = document["segments"]
        _check_fields(holder, _names("results next previous"), "segments.")
        if holder.get("next") or holder.get("previous"):
            raise NotATranscript("This is one page of a transcript, not all of it.")
    items = holder.get(dialect.segments)
    text = document.get("text")
    if not items and dialect is WHISPER and isinstance(text, str):
        # The plain answer of OpenAI's API has no segments.
        return [{"text": text}]
    if not isinstance(items, list):
        raise NotATranscript("The JSON has no list of segments.")
    check_count(items)
    return items


def _with_missing_times(times: list[Times], segment: ImportedSegment) -> list[tuple[int, int]]:
    """Return the times of all words; missing ones lie between those of their neighbours."""
    starts: list[int | None] = [start for start, _ in times]
    following = segment.end_ms
    ends: list[int | None] = []
    for start, end in reversed(times):
        ends.append(following if end is None else end)
        following = following if start is None else start
    filled: list[tuple[int, int]] = []
    last = segment.start_ms or 0
    for start, end in zip(starts, reversed(ends), strict=True):
        begin = last if start is None else start
        last = max(begin, begin if end is None else end)
        filled.append((begin, last))
    return filled


def _words_of_tokens(tokens: list[Object]) -> list[Object]:
    """Return the words of whisper.cpp's tokens: a space begins a word; [_BEG_] is no text."""
    words: list[Object] = []
    for token in tokens:
        text = _text(token, "text", strip=False)
        if text.startswith("[_"):
            continue
        if not words or text.startswith(" "):
            words.append(token)
            continue
        begun = words[-1]
        offsets = {**begun.get("offsets", {}), "to": _times_of_offsets(token)[1]}
        words[-1] = {**begun, "text": f"{begun['text']}{text}", "offsets": offsets}
    return words


def _object(word: Any) -> Object:
    """A word as an object: `transcribe` writes it as [start_ms, end_ms, text, probability]."""
    if isinstance(word, list) and len(word) == 4:
        return dict(zip(("start_ms", "end_ms", "text", "probability"), word, strict=True))
    if not isinstance(word, Mapping):
        raise CueError("has a word that is not an object")
    return word


def _text(item: Object, name: str, default: str | None = None, *, strip: bool = True) -> str:
    value = item.get(name)
    if value is None:
        value = default
    if not isinstance(value, str):
        raise CueError(f"has no {name}, or one that is not a text")
    return value.strip() if strip else value


def _probability(item: Object) -> float | None:
    """How sure a program was of a word or segment, 0 to 1; programs call it differently."""
    names = ("probability", "score", "confidence", "p")
    value = next((item[name] for name in names if item.get(name) is not None), None)
    if not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return min(max(float(value), 0.0), 1.0)


def _split_by_speaker(segment: ImportedSegment) -> Iterator[ImportedSegment]:
    """Yield the segment, or one for each speaker where its words name several."""
    turns = [
        (speaker, tuple(words))
        for speaker, words in groupby(segment.words, key=lambda w: w.speaker or segment.speaker)
    ]
    if len(turns) < 2:
        yield replace(segment, speaker=turns[0][0] if turns else segment.speaker)
        return
    for speaker, words in turns:
        # As at the start of every segment, no space comes before the first word.
        first = replace(words[0], text=words[0].text.lstrip())
        yield replace(
            segment,
            text="".join(word.text for word in (first, *words[1:])),
            speaker=speaker,
            start_ms=first.start_ms,
            end_ms=max(word.end_ms for word in words),
            words=(first, *words[1:]),
        )


def _language(document: Object) -> tuple[str, list[Note]]:
    """The code of the document's language, empty for none; a note for one that is not known."""
    holders = [document, *(document.get(name) for name in ("transcript", "details", "result"))]
    names = (holder.get("language") for holder in holders if isinstance(holder, Mapping))
    name = next((name for name in names if name), "")
    if not isinstance(name, str):
        raise NotATranscript("The language of the transcript is not a text.")
    check_text(name)
    is_tag = _TAG.fullmatch(name) is not None
    code = base_language(name) if is_tag else _LANGUAGES.get(name.casefold(), "")
    unknown = [Note(NoteCode.LANGUAGE_NOT_KNOWN, {"language": name[:40]})]
    return code, unknown if name and not code else []
