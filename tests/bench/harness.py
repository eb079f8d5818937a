"""Goals beside measurements: what `./mb bench` prints and `--check` judges.

A benchmark is a module of this folder with a docstring and `measure() -> list[Goal]`. It finds the
services up, the tables made in a database of its own (DATABASE_URL, for its child processes too),
and an empty broker, cache and file store.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass


class Compare(enum.StrEnum):
    """On which side of the limit the goal lies."""

    AT_MOST = "<="
    AT_LEAST = ">="
    EQUAL = "=="


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure to reach and the figure that was measured, both in `unit`.

    Without a limit it only reports. `enforced=False` shows whether a figure that depends on how
    busy the machine is, or that is known to be out of reach, was met, without judging by it.
    """

    name: str
    limit: float | None
    measured: float
    unit: str = ""
    compare: Compare = Compare.AT_MOST
    enforced: bool = True

    @property
    def is_met(self) -> bool:
        """Whether the measurement lies on the right side of the limit, if there is one."""
        if self.limit is None:
            return True
        if self.compare is Compare.AT_MOST:
            return self.measured <= self.limit
        if self.compare is Compare.AT_LEAST:
            return self.measured >= self.limit
        return self.measured == self.limit

    @property
    def ratio(self) -> float | None:
        """Measured over limit; None where there is no limit, or zero."""
        return self.measured / self.limit if self.limit else None

    @property
    def verdict(self) -> str:
        """One word for the last column."""
        if self.limit is None:
            return "-"
        if self.is_met:
            return "met"
        return "MISSED" if self.enforced else "missed"


def fastest(runs: Mapping[str, Callable[[], object]], *, rounds: int = 3) -> dict[str, float]:
    """The shortest time of each run in seconds; they take turns, so all meet the same noise.

    A run that knows better what it took than a clock around it returns its seconds.
    """
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, work in runs.items():
            started = time.perf_counter()
            told = work()
            times[name].append(told if isinstance(told, float) else time.perf_counter() - started)
    return {name: min(found) for name, found in times.items()}


HEADINGS = ("what", "goal", "measured", "ratio", "verdict")


def table(goals: Iterable[Goal]) -> str:
    """The goals as aligned text columns."""
    rows = [HEADINGS, *(_row(goal) for goal in goals)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return "\n".join(_line(row, widths) for row in rows)


def misses(goals: Iterable[Goal]) -> list[Goal]:
    """The enforced goals that were not met."""
    return [goal for goal in goals if goal.enforced and not goal.is_met]


def _row(goal: Goal) -> tuple[str, ...]:
    goal_text = "-"
    if goal.limit is not None:
        goal_text = f"{goal.compare.value} {_figure(goal.limit)} {goal.unit}".rstrip()
    measured = f"{_figure(goal.measured)} {goal.unit}".rstrip()
    ratio = "-" if goal.ratio is None else f"{goal.ratio:.2f}"
    return goal.name, goal_text, measured, ratio, goal.verdict


def _figure(value: float) -> str:
    """Three significant digits, and whole numbers in full."""
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    first, *others = zip(row, widths, strict=True)
    return f"{first[0]:<{first[1]}}  " + "  ".join(f"{text:>{width}}" for text, width in others)
