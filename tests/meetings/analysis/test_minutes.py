"""Our own minutes, planted items and decoys: the least that must hold at every change."""

from __future__ import annotations

import pytest

from tests.bench import minutes

EVERY = minutes.everything()


@pytest.mark.parametrize("held_out", [False, True], ids=["tuned", "held out"])
def test_what_is_planted_is_found_and_decoys_are_not(held_out: bool) -> None:
    tally = minutes.tally(each for each in EVERY if each.held_out is held_out)

    assert tally.precision >= 0.85
    assert tally.recall >= 0.6
    assert tally.owner >= 0.9
    assert tally.due >= 0.9


def test_a_third_of_the_minutes_is_held_out_and_four_languages_are_there() -> None:
    assert sum(each.held_out for each in EVERY) * 3 >= len(EVERY) >= 15
    assert {each.discussion.language for each in EVERY} == {"en", "sv", "de", "hu"}
