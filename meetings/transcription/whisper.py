"""Speech to text with Whisper, run by CTranslate2 through faster-whisper, window by window.

Every setting is chosen so that a window's text depends on its samples alone: no text is carried
over from the window before, and nothing is drawn at random. Whisper sometimes passes over speech
or falls into a loop; the voice detector knows where speech is, and speech without words is
transcribed once more by itself.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import operator
import os
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import numpy as np

from meetings.media.model_files import ModelFacts
from meetings.media.vad import SAMPLE_RATE, Samples
from meetings.transcription.window_text import SpokenSegment, WindowText, Word
from meetings.transcription.windows import Span, Window

# Read when huggingface_hub is imported: a worker must never reach for a model elsewhere.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# Its thread pool does not survive the fork of a worker, and one sentence needs no pool.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

_BEAMS = 5
# A text that zlib makes this much smaller repeats itself. Speakers do that too, though not at more
# than so many tokens in a second.
_LOOP_COMPRESSION = 2.4
_FASTEST_TOKENS = 6
_FRAMES_PER_SECOND = 100
# Whisper writes "You" or "Thank you." over silence, without believing it.
_LEAST_CERTAINTY = 0.1
_SHORTEST_GAP_MS = 1200
# A word holds no more than this; longer ones are stretched over speech that got no words.
_LONGEST_WORD_MS = 1200
# Silence at the end tells Whisper that the last sentence is over, and it closes it. Without, it
# keeps the sentence open and listens to it again.
_SILENCE = np.zeros(SAMPLE_RATE, np.float32)
_TAIL_MS = 500
# How far a word reaches around itself when asking which speech got none.
_REACH_MS = 150
_MARGIN_MS = 100


class Transcriber(Protocol):
    """Turns the samples of a window into its text."""

    @property
    def model(self) -> ModelFacts: ...

    def transcribe_window(
        self, samples: Samples, window: Window, language: str | None = None
    ) -> WindowText: ...


def load_transcriber(model: ModelFacts, *, threads: int = 1) -> WhisperTranscriber:
    """Return the transcriber of this process; the first call loads the model, in half a second.

    Its threads do not survive a fork, so it is kept per process: call this in the worker, not in
    its parent. More than one thread makes one window slower; more processes make many faster.
    """
    return _loaded(os.getpid(), model, threads)


@functools.lru_cache(maxsize=1)
def _loaded(_process: int, model: ModelFacts, threads: int) -> WhisperTranscriber:
    return WhisperTranscriber(model, threads=threads)


class WhisperTranscriber:
    """A loaded Whisper model."""

    def __init__(self, model: ModelFacts, *, threads: int = 1) -> None:
        # This costs half a second, and only workers need it.
        from faster_whisper import WhisperModel  # noqa: PLC0415

        self.model = model
        self._whisper = WhisperModel(
            model.path,
            device="cpu",
            compute_type="int8",
            cpu_threads=threads,
            local_files_only=True,
        )

    def transcribe_window(
        self, samples: Samples, window: Window, language: str | None = None
    ) -> WindowText:
        """The text of one window, given its 16 kHz mono samples from `window.start_ms` on.

        `language` is a code such as "de"; without it a model of many languages detects it. A
        model of one language ignores it.
        """
        known = "en" if not self.model.multilingual else language
        said, detected, certainty = self._transcribe(_Joined(samples, window, window.speech), known)
        gaps = uncovered(window.speech, _times(said))
        again = [self._transcribe_again(samples, window, gap, detected) for gap in gaps]
        said = [*said, *(words for found in again for words in found)]
        segments = sorted(
            (SpokenSegment.of(words) for words in said),
            key=lambda segment: (segment.start_ms, segment.end_ms),
        )
        uncovered_spans = uncovered(window.speech, _times(said))
        return WindowText(
            start_ms=window.start_ms,
            end_ms=window.end_ms,
            language=detected,
            language_probability=None if known else round(certainty, 4),
            segments=tuple(segments),
            speech_ms=window.speech_ms,
            uncovered_speech_ms=sum(end - start for start, end in uncovered_spans),
            repaired=sum(bool(found) for found in again),
        )

    def _transcribe_again(
        self, samples: Samples, window: Window, gap: Span, language: str
    ) -> list[tuple[Word, ...]]:
        """Return the words of a stretch by itself, with repetition suppressed."""
        wide = (max(gap[0] - _MARGIN_MS, window.start_ms), min(gap[1] + _MARGIN_MS, window.end_ms))
        said, _, _ = self._transcribe(
            _Joined(samples, window, (wide,)), language, no_repeat_ngram_size=3
        )
        return said

    def _transcribe(
        self, sound: _Joined, language: str | None, **options: Any
    ) -> tuple[list[tuple[Word, ...]], str, float]:
        """Return the words of each segment, the language and its probability."""
        segments, info = self._whisper.transcribe(
            sound.samples,
            language=language,
            beam_size=_BEAMS,
            temperature=0.0,
            condition_on_previous_text=False,
            word_timestamps=True,
            **options,
        )
        found = []
        for segment in segments:
            found.append(segment)
            if segment.end * 1000 >= sound.length_ms - _TAIL_MS:
                # Left alone, Whisper would listen once more, to nothing.
                break
        said = (tuple(sound.words(segment.words)) for segment in _without_loops(found))
        return (
            # Less than this certainty is a guess at a cough.
            [
                words
                for words in said
                if words and sum(w.probability for w in words) >= _LEAST_CERTAINTY * len(words)
            ],
            info.language,
            info.language_probability,
        )


def _without_loops(segments: list[Any]) -> Iterator[Any]:
    """Yield the segments without loops: words repeated faster than anyone speaks."""
    for start, group in itertools.groupby(segments, key=operator.attrgetter("seek")):
        together = list(group)
        seconds = max(together[-1].end - start / _FRAMES_PER_SECOND, 0.1)
        tokens = sum(len(segment.tokens) for segment in together)
        repeats = together[0].compression_ratio > _LOOP_COMPRESSION
        if not (repeats and tokens > _FASTEST_TOKENS * seconds):
            yield from together


class _Joined:
    """The speech of a window without the silence between, and the way back to real times.

    Whisper hears half a minute at a time; what it does not hear it cannot invent words for.
    """

    def __init__(self, samples: Samples, window: Window, speech: tuple[Span, ...]) -> None:
        self._speech = speech
        parts = [
            samples[_sample(start - window.start_ms) : _sample(end - window.start_ms)]
            for start, end in speech
        ]
        self.samples = np.concatenate([*parts, _SILENCE])
        # Where each stretch begins in the joined sound, in ms.
        *self._begins, self.length_ms = itertools.accumulate(
            (end - start for start, end in speech), initial=0
        )

    def words(self, found: Iterable[Any]) -> Iterator[Word]:
        """The words with times in the recording, each within one stretch and none going back."""
        floor = 0
        for word in found:
            middle = 500 * (word.start + word.end)
            part = max(bisect.bisect_right(self._begins, middle) - 1, 0)
            start = max(self._real(part, word.start), floor)
            end = max(self._real(part, word.end), start)
            floor = start
            yield Word(start, end, word.word, round(float(word.probability), 4))

    def _real(self, part: int, seconds: float) -> int:
        first, last = self._speech[part]
        return min(max(first, first + round(seconds * 1000) - self._begins[part]), last)


def _times(parts: list[tuple[Word, ...]]) -> list[Span]:
    return [(word.start_ms, word.end_ms) for words in parts for word in words]


def _sample(ms: int) -> int:
    return ms * SAMPLE_RATE // 1000


def uncovered(speech: tuple[Span, ...], words: list[Span]) -> list[Span]:
    """Return stretches of speech of at least 1.2 s that no word reaches, in ms."""
    reached = sorted(
        (start - _REACH_MS, min(end, start + _LONGEST_WORD_MS) + _REACH_MS) for start, end in words
    )
    return [
        (start, end)
        for span in speech
        for start, end in _parts_outside(span, reached)
        if end - start >= _SHORTEST_GAP_MS
    ]


def _parts_outside(span: Span, reached: list[Span]) -> Iterator[Span]:
    at, stop = span
    for start, end in reached:
        if end > at and start < stop:
            if start > at:
                yield at, start
            at = max(at, end)
    if at < stop:
        yield at, stop
