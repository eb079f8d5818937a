"""How a recording is divided."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from meetings.media.vad import FRAME_MS, Samples, spans
from meetings.transcription import windows
from meetings.transcription.windows import LONGEST_WINDOW_MS, Plan, Window

LONGEST = LONGEST_WINDOW_MS // FRAME_MS


def chances(*runs: tuple[int, float]) -> Samples:
    """Frames of speech (0.9) and silence (0.1) from (frames, chance) pairs."""
    return np.concatenate([np.full(frames, chance, np.float32) for frames, chance in runs])


def test_a_short_talk_is_one_window_with_a_little_air_around_it() -> None:
    assert windows.cut(chances((100, 0.1), (200, 0.9), (100, 0.1))) == [(94, 306, [(94, 306)])]


def test_silence_belongs_to_no_window() -> None:
    assert windows.cut(chances((5000, 0.1))) == []
    assert windows.cut(np.zeros(0, np.float32)) == []
    first, second = windows.cut(chances((300, 0.9), (4000, 0.1), (300, 0.9)))
    assert first[:2] == (0, 306)
    assert second[:2] == (4294, 4600)


def test_a_click_is_not_a_word() -> None:
    assert windows.cut(chances((100, 0.1), (2, 0.9), (100, 0.1))) == []


def test_the_cut_is_in_the_last_good_pause_of_the_minute() -> None:
    talk = chances((1000, 0.9), (20, 0.1), (400, 0.9), (20, 0.1), (300, 0.9), (12, 0.1), (900, 0.9))
    first, second = windows.cut(talk)[:2]
    # The pause at 1420 lasts 0.6 s; the later one at 1740 is shorter than 0.4 s.
    assert first[1] == 1426
    assert second[0] == 1434


def test_without_a_pause_the_cut_is_where_speech_is_least_likely() -> None:
    talk = np.full(3000, 0.9, np.float32)
    talk[1500] = 0.6
    (first, second) = windows.cut(talk)
    assert first[:2] == (0, 1500)
    assert second[:2] == (1500, 3000)


def test_a_pause_in_the_first_half_is_not_waited_for() -> None:
    talk = chances((500, 0.9), (40, 0.1), (2000, 0.9))
    assert windows.cut(talk)[0][1] >= LONGEST // 2


@pytest.mark.parametrize("seed", range(30))
def test_windows_are_short_in_order_and_hold_all_speech(seed: int) -> None:
    dice = random.Random(seed)
    talk = chances(
        *(
            (dice.randrange(1, 2500), dice.choice([0.9, 0.1, 0.4]))
            for _ in range(dice.randrange(40))
        )
    )
    found = windows.cut(talk)
    end_before = 0
    held: set[int] = set()
    for start, end, speech in found:
        assert end_before <= start < end <= start + LONGEST
        assert end <= len(talk)
        end_before = start
        for first, last in speech:
            assert end_before <= first < last <= end
            end_before = last
            held.update(range(first, last))
        end_before = end
    owed = {
        frame for first, last in spans(talk) if last - first >= 3 for frame in range(first, last)
    }
    assert owed <= held


def test_a_window_is_named_by_its_times() -> None:
    assert Window(960, 58_000, ((960, 58_000),)).key == "960-58000"
    assert Window(0, 9000, ((0, 1000), (2000, 5000))).speech_ms == 4000


def test_a_plan_survives_being_stored() -> None:
    plan = Plan(
        windows=(
            Window(0, 900, ((0, 400), (500, 900))),
            Window(1000, 1500, ((1000, 1500),), from_start=True),
        ),
        duration_ms=2000,
        speech_ms=1300,
        damaged_packets=3,
        lost_ms=60,
    )
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


def test_a_plan_ends_with_the_last_sample() -> None:
    # The last frame of 32 ms is not full.
    found = windows.plan(np.ones(20, np.float32), 625)
    assert found == Plan((Window(0, 625, ((0, 625),)),), duration_ms=625, speech_ms=625)
