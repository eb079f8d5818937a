"""The table of goals: what counts as met, and what it shows."""

from __future__ import annotations

import pytest

from tests.bench.harness import Compare, Goal, misses, table


@pytest.mark.parametrize(
    ("compare", "measured", "met"),
    [
        (Compare.AT_MOST, 9.9, True),
        (Compare.AT_MOST, 10, True),
        (Compare.AT_MOST, 10.1, False),
        (Compare.AT_LEAST, 10.1, True),
        (Compare.AT_LEAST, 9.9, False),
        (Compare.EQUAL, 10, True),
        (Compare.EQUAL, 10.1, False),
    ],
)
def test_a_goal_is_met_on_its_side_of_the_limit(
    compare: Compare, measured: float, met: bool
) -> None:
    assert Goal("answer", 10, measured, compare=compare).is_met is met


def test_the_table_shows_goal_measurement_ratio_and_verdict() -> None:
    goals = [
        Goal("upload", 200, 150, "ms"),
        Goal("word errors", 0, 0.173, "%"),
    ]

    heading, upload, errors = table(goals).splitlines()

    assert heading.split() == ["what", "goal", "measured", "ratio", "verdict"]
    assert upload.split() == ["upload", "<=", "200", "ms", "150", "ms", "0.75", "met"]
    assert errors.split() == ["word", "errors", "<=", "0", "%", "0.173", "%", "-", "MISSED"]


def test_a_figure_without_a_goal_is_shown_without_a_verdict() -> None:
    _heading, row = table([Goal("rows", None, 228, "us")]).splitlines()

    assert row.split() == ["rows", "-", "228", "us", "-", "-"]
    assert misses([Goal("rows", None, 228, "us")]) == []


def test_a_goal_that_is_not_enforced_is_never_a_miss() -> None:
    judged = Goal("memory", 10, 11)
    reported = Goal("time", 10, 11, enforced=False)

    assert misses([judged, reported]) == [judged]
