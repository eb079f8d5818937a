"""Where somebody speaks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from meetings.media import decode, vad
from tests.bench import recordings


def blocks(samples: decode.Samples, size: int) -> Iterator[decode.Samples]:
    for start in range(0, len(samples), size):
        yield samples[start : start + size]


@pytest.fixture(scope="module")
def speech() -> decode.Samples:
    return np.concatenate(list(decode.stream(recordings.JFK)))


def test_the_chances_do_not_depend_on_how_the_sound_is_cut(speech: decode.Samples) -> None:
    whole = np.concatenate(list(vad.probabilities([speech])))
    for size in (100, 7001, 160_000):
        assert np.array_equal(np.concatenate(list(vad.probabilities(blocks(speech, size)))), whole)
    assert len(whole) == -(-len(speech) // vad.FRAME_SAMPLES)


def test_speech_is_told_from_silence_and_from_noise(speech: decode.Samples) -> None:
    noise = np.random.default_rng(1).normal(0, 0.01, 16_000 * 3).astype(np.float32)
    silence = np.zeros(16_000 * 3, np.float32)
    found = np.concatenate(list(vad.probabilities([silence, speech, noise])))
    assert found[:90].max() < 0.3
    assert np.median(found[100:430]) > 0.5
    assert found[-60:].max() < 0.5


def test_nothing_is_heard_in_no_sound() -> None:
    assert list(vad.probabilities([])) == []
    assert vad.spans(np.zeros(0, np.float32)) == []


@pytest.mark.parametrize(
    ("chances", "expected"),
    [
        ([0.1] * 5 + [0.9] * 20 + [0.1] * 20, [(5, 25)]),
        # Between the two thresholds, what went on goes on.
        ([0.4] * 5 + [0.9] * 5 + [0.4] * 20 + [0.1] * 20, [(5, 30)]),
        # A pause under a third of a second belongs to the speech around it.
        ([0.9] * 5 + [0.1] * 9 + [0.9] * 5, [(0, 19)]),
        ([0.9] * 5 + [0.1] * 12 + [0.9] * 5, [(0, 5), (17, 22)]),
        ([0.9] * 7, [(0, 7)]),
        ([0.9] * 7 + [0.1] * 3, [(0, 7)]),
    ],
)
def test_spans_begin_high_and_end_low(
    chances: list[float], expected: list[tuple[int, int]]
) -> None:
    assert vad.spans(np.array(chances, np.float32)) == expected
