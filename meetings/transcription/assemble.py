"""Joins the texts of all windows into the text of the recording."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from meetings.text.notes import Note
from meetings.transcription.window_text import SpokenSegment, WindowText, Word

# A segment is read and quoted as one: up to half a minute or some 60 words.
_LONGEST_MS = 30_000
_MOST_CHARACTERS = 400
_LONG_PAUSE_MS = 2_000
_SENTENCE_ENDS = (".", "!", "?", "…", "。", "!", "?")
_CLOSING = "\"')]}\u2019\u201d"
_PAUSES = (",", ";", ":", "、", ",")


@dataclass(frozen=True, slots=True)
class TranscriptText:
    """The text of a recording. `language` is "" and `confidence` None when nobody spoke."""

    language: str
    language_probability: float | None
    confidence: float | None
    segments: tuple[SpokenSegment, ...]
    speech_ms: int
    uncovered_speech_ms: int
    repaired: int
    notes: tuple[Note, ...] = ()

    @property
    def text(self) -> str:
        return " ".join(segment.text for segment in self.segments)


def assemble(texts: Iterable[WindowText], notes: tuple[Note, ...] = ()) -> TranscriptText:
    """Join the texts of a recording's windows, given in any order; equal texts, equal result.

    Segments come out in order of time, none empty, long ones divided at the end of a sentence.
    """
    windows = sorted(texts, key=lambda window: (window.start_ms, window.end_ms))
    segments = tuple(
        part
        for window in windows
        for segment in window.segments
        if segment.text
        for part in _split_segment(segment)
    )
    language = _language(windows)
    probabilities = [
        (window.language_probability, window.speech_ms)
        for window in windows
        if window.language == language and window.language_probability is not None
    ]
    words = [word for segment in segments for word in segment.words]
    return TranscriptText(
        language=language,
        language_probability=_mean(probabilities),
        confidence=_mean([(word.probability, 1) for word in words]),
        segments=segments,
        speech_ms=sum(window.speech_ms for window in windows),
        uncovered_speech_ms=sum(window.uncovered_speech_ms for window in windows),
        repaired=sum(window.repaired for window in windows),
        notes=notes,
    )


def _language(windows: list[WindowText]) -> str:
    """Return the language of most of the speech."""
    spoken: Counter[str] = Counter()
    for window in windows:
        if window.segments:
            spoken[window.language] += window.speech_ms
    # Equal shares must not depend on the order of a dictionary.
    return max(spoken, key=lambda code: (spoken[code], code), default="")


def _mean(weighted: list[tuple[float, int]]) -> float | None:
    total = sum(weight for _, weight in weighted)
    return round(sum(value * weight for value, weight in weighted) / total, 4) if total else None


def _split_segment(segment: SpokenSegment) -> Iterator[SpokenSegment]:
    """Yield the segment in parts without a long pause, none too long to be read as one."""
    words = segment.words
    while words:
        pauses = (
            count
            for count in range(1, len(words))
            if words[count].start_ms - words[count - 1].end_ms >= _LONG_PAUSE_MS
        )
        count = next(pauses, len(words))
        if _is_long(words[:count]):
            count = _best_cut(words[:count])
        yield segment if count == len(segment.words) else SpokenSegment.of(words[:count])
        words = words[count:]


def _is_long(words: tuple[Word, ...]) -> bool:
    characters = sum(len(word.text) for word in words)
    too_much = words[-1].end_ms - words[0].start_ms > _LONGEST_MS or characters > _MOST_CHARACTERS
    return len(words) > 1 and too_much


def _best_cut(words: tuple[Word, ...]) -> int:
    """Return how many words to take: up to the last sentence end that fits, else a comma or gap."""
    fitting = 1
    while fitting < len(words) and not _is_long(words[: fitting + 1]):
        fitting += 1
    for marks in (_SENTENCE_ENDS, _PAUSES):
        for count in range(fitting, fitting // 3, -1):
            if words[count - 1].text.rstrip(_CLOSING).endswith(marks):
                return count
    gaps = [
        (words[count].start_ms - words[count - 1].end_ms, count)
        for count in range(fitting // 3 + 1, min(fitting, len(words) - 1) + 1)
    ]
    return max(gaps)[1] if gaps else fitting
