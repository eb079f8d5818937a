"""What a window's listener makes of sounds that are hard for a speech model."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from meetings.media import decode, vad
from meetings.transcription import whisper, windows
from meetings.transcription.window_text import WindowText
from tests.bench import recordings


@pytest.fixture(scope="module")
def speech() -> decode.Samples:
    return np.concatenate(list(decode.stream(recordings.JFK)))


def heard(transcriber: whisper.WhisperTranscriber, samples: decode.Samples) -> WindowText:
    chances = np.concatenate(list(vad.probabilities([samples])))
    (window,) = windows.plan(chances, len(samples) // 16).windows
    part = samples[window.start_ms * 16 : window.end_ms * 16]
    return transcriber.transcribe_window(part, window)


@pytest.mark.slow
def test_what_is_said_again_and_again_is_kept(
    transcriber: whisper.WhisperTranscriber, speech: decode.Samples
) -> None:
    text = heard(transcriber, np.tile(speech, 3))
    once = recordings.said_in(recordings.JFK)
    found = " ".join(segment.text for segment in text.segments)
    assert recordings.wer(f"{once} {once} {once}", found) <= 5
    assert text.uncovered_speech_ms == 0


@pytest.mark.slow
def test_quiet_words_beside_loud_ones_are_listened_to_once_more(
    transcriber: whisper.WhisperTranscriber, speech: decode.Samples
) -> None:
    text = heard(transcriber, np.concatenate([speech * 0.003, speech, speech * 0.003]))
    assert text.repaired >= 1
    first = " ".join(segment.text for segment in text.segments if segment.end_ms < 11_000)
    assert "country" in first


def segment(seek: int, end: float, tokens: int, compression_ratio: float) -> SimpleNamespace:
    return SimpleNamespace(
        seek=seek, end=end, tokens=[0] * tokens, compression_ratio=compression_ratio
    )


def test_a_loop_is_left_out_and_what_was_heard_before_it_is_kept() -> None:
    good, loop = segment(0, 28.0, 90, 1.6), segment(2800, 55.0, 210, 12.0)
    slow = segment(5500, 85.0, 80, 2.7)
    assert list(whisper._without_loops([good, loop, slow])) == [good, slow]
