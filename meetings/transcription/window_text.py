"""Words, segments and the text of one window, as plain values that can be stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Word:
    """A word with its punctuation, its time in ms and how sure the model is of it (0 to 1)."""

    start_ms: int
    end_ms: int
    text: str
    probability: float

    def to_json(self) -> list[Any]:
        return [self.start_ms, self.end_ms, self.text, self.probability]


@dataclass(frozen=True, slots=True)
class SpokenSegment:
    """A sentence or so. `confidence` is the mean probability of its words."""

    start_ms: int
    end_ms: int
    text: str
    confidence: float
    words: tuple[Word, ...]

    @classmethod
    def of(cls, words: tuple[Word, ...]) -> Self:
        """The segment these words make; there must be one at least."""
        return cls(
            start_ms=words[0].start_ms,
            end_ms=max(word.end_ms for word in words),
            # Whisper writes the space before a word, and none where a language has none.
            text="".join(word.text for word in words).strip(),
            confidence=round(sum(word.probability for word in words) / len(words), 4),
            words=words,
        )

    def bare_words(self) -> list[tuple[int, int, str, float]]:
        """The words as they are stored: the spaces between them are in the text."""
        return [(w.start_ms, w.end_ms, w.text.strip(), w.probability) for w in self.words]

    def to_json(self) -> dict[str, Any]:
        return {
            "start_ms": self.start_ms,
            "end_ms": self.end_ms,
            "text": self.text,
            "confidence": self.confidence,
            "words": [word.to_json() for word in self.words],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        words = tuple(Word(*word) for word in data["words"])
        return cls(data["start_ms"], data["end_ms"], data["text"], data["confidence"], words)


@dataclass(frozen=True, slots=True)
class WindowText:
    """The text of one window.

    `language_probability` is None when nothing was detected: the model knows one language, or the
    caller named it. `uncovered_speech_ms` is speech that got no words, `repaired` the number of
    stretches that got theirs at the second try.
    """

    start_ms: int
    end_ms: int
    language: str
    language_probability: float | None
    segments: tuple[SpokenSegment, ...]
    speech_ms: int
    uncovered_speech_ms: int
    repaired: int

    @property
    def key(self) -> str:
        """The key of the window that this is the text of."""
        return f"{self.start_ms}-{self.end_ms}"

    def to_json(self) -> dict[str, Any]:
        return {
            "start_ms": self.start_ms,
            "end_ms": self.end_ms,
            "language": self.language,
            "language_probability": self.language_probability,
            "segments": [segment.to_json() for segment in self.segments],
            "speech_ms": self.speech_ms,
            "uncovered_speech_ms": self.uncovered_speech_ms,
            "repaired": self.repaired,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        segments = tuple(SpokenSegment.from_json(segment) for segment in data["segments"])
        return cls(**{**data, "segments": segments})
