"""Insight without a model: summaries of real meetings, items in formal minutes, time and rows."""

from __future__ import annotations

import time
from statistics import fmean

from meetings.analysis.discussion import Discussion, Turn
from meetings.analysis.engines import ENGINE
from meetings.analysis.findings import Section
from tests.bench import insight_rows, minutes, summaries
from tests.bench.harness import Compare, Goal

LONG = 24_000  # words: about three hours
LONGEST = 200_000  # words: as many as one body brings
RIVALS = {"cleaned lead": summaries.lead, "TextRank": summaries.textrank}
TITLES = {"rouge1": "ROUGE-1", "rouge2": "ROUGE-2"}
LEAST = {"rouge1": 30.0, "rouge2": 6.3}


def measure() -> list[Goal]:
    """Every goal of the embedded engine, and of the rows its findings rest on."""
    return [*summary_goals(), *minutes_goals(), *time_goals(), *insight_rows.rows_goals()]


def summary_goals() -> list[Goal]:
    """ROUGE of the engine, and the lower bound of its lead over each rival."""
    meetings = summaries.meetings()
    own = summaries.scores(meetings, summaries.engine)
    goals = [
        Goal(f"{TITLES[each]} of 12 summaries", LEAST[each], fmean(own[each]), "", Compare.AT_LEAST)
        for each in summaries.METRICS
    ]
    for name, rival in RIVALS.items():
        goals += _against(name, own, summaries.scores(meetings, rival))
    return goals


def _against(name: str, own: summaries.Scores, rival: summaries.Scores) -> list[Goal]:
    goals = []
    for each in summaries.METRICS:
        differences = [a - b for a, b in zip(own[each], rival[each], strict=True)]
        low, high = summaries.interval(differences)
        title = (
            f"{TITLES[each]} over {name} ({fmean(rival[each]):.1f}): "
            f"{fmean(differences):+.1f}, 95 % from {low:+.1f} to {high:+.1f}; lower end"
        )
        goals.append(Goal(title, 0.0, low, "", Compare.AT_LEAST))
    return goals


def minutes_goals() -> list[Goal]:
    """Planted items found in our own minutes, those for tuning and those held out."""
    every = minutes.everything()
    goals = []
    for held_out in (False, True):
        chosen = [each for each in every if each.held_out is held_out]
        tally = minutes.tally(chosen)
        title = (
            f"{len(chosen)} {'held-out' if held_out else 'tuned'} minutes, {tally.planted} items"
        )
        goals += [
            Goal(f"{title}: precision", 0.85, tally.precision, "", Compare.AT_LEAST),
            Goal(f"{title}: recall", 0.6, tally.recall, "", Compare.AT_LEAST),
            Goal(f"{title}: right owner", 0.9, tally.owner, "", Compare.AT_LEAST),
            Goal(f"{title}: right due date", 0.9, tally.due, "", Compare.AT_LEAST),
        ]
    return goals


def time_goals() -> list[Goal]:
    """CPU time of all sections on 24,000 words: the fastest of four rounds, the first reads tables.

    Whatever else the machine does only ever adds to a round.
    """
    discussion = long_discussion(LONG)
    fastest = min(_seconds(discussion) for _ in range(4))
    longest = _seconds(long_discussion(LONGEST))
    return [
        Goal(f"all sections of {LONG:,} words", 2.0, fastest, "s CPU"),
        # Nearly in step with the words: a longer text has more different ones, taken 1.3 times.
        Goal(f"all sections of {LONGEST:,} words", 2.0 * 1.5 * LONGEST / LONG, longest, "s CPU"),
    ]


def _seconds(discussion: Discussion) -> float:
    began = time.process_time()
    for section in Section:
        ENGINE.find(section, discussion)
    return time.process_time() - began


def long_discussion(words: int) -> Discussion:
    """Turns of real meetings, one meeting after the other, until there are so many words."""
    turns: list[Turn] = []
    left = words
    while left > 0:
        for meeting in summaries.meetings():
            for turn in meeting.discussion.turns:
                if left > 0:
                    turns.append(Turn(str(len(turns)), turn.text, turn.speaker))
                    left -= len(turn.text.split())
    return Discussion(tuple(turns), "en")
