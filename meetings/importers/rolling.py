"""Captions that scroll, or grow while they are spoken, show each word several times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from meetings.importers.cues import Cue

_MOST_ROWS = 8  # that a caption shows at once


def without_repetition(cues: list[Cue]) -> list[Cue]:
    """The cues with each word once, where the file as a whole scrolls or grows.

    People do say the same sentence twice. So equal cues alone are no evidence; a cue that shows
    the last row of the one before it above a new row is, or the text of the one before with more.
    """
    pairs = list(pairwise(cues))
    scrolls = sum(_scrolls(before, cue) for before, cue in pairs)
    if scrolls and scrolls * 2 >= sum(len(cue.rows) > 1 for _, cue in pairs):
        return list(_new_rows(cues))
    grows = sum(_grows(before, cue) for before, cue in pairs)
    if grows and grows * 2 >= len(pairs):
        return list(_last_states(cues))
    return cues


def _scrolls(before: Cue, cue: Cue) -> bool:
    return bool(len(cue.rows) > 1 and before.rows and cue.texts[0] == before.texts[-1])


def _grows(before: Cue, cue: Cue) -> bool:
    shown, now = " ".join(before.texts), " ".join(cue.texts)
    return bool(shown) and len(now) > len(shown) and now.startswith(shown)


def _new_rows(cues: list[Cue]) -> Iterator[Cue]:
    """Of each cue the rows that the one before it did not show."""
    shown: list[str] = []
    for cue in cues:
        texts = cue.texts
        most = min(len(shown), len(texts), _MOST_ROWS)
        kept = next((n for n in range(most, 0, -1) if shown[-n:] == texts[:n]), 0)
        if kept < len(cue.rows):
            yield replace(cue, rows=cue.rows[kept:])
        shown = texts


def _last_states(cues: list[Cue]) -> Iterator[Cue]:
    """Each text as it was shown last, from the time it was begun."""
    begun = cues[0]
    for before, cue in pairwise(cues):
        if _grows(before, cue):
            continue
        yield replace(before, start_ms=begun.start_ms)
        begun = cue
    yield replace(cues[-1], start_ms=begun.start_ms)
