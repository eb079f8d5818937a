"""What an analysis reads: the turns of one meeting, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Turn:
    """One segment of a transcript; `id` is the segment's.

    `speaker` is empty where nobody was told apart, the times are None where the text came without.
    """

    id: str
    text: str
    speaker: str = ""
    start_ms: int | None = None
    end_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Discussion:
    """A whole transcript in order.

    `language` is an ISO 639-1 code, empty when unknown. `participants` are the names of people
    given with the meeting, whether they speak or not. `held_on` is the day of the meeting where it
    was held: what "on Friday" is counted from. Without it no due date is resolved.
    """

    turns: tuple[Turn, ...]
    language: str = ""
    held_on: date | None = None
    participants: tuple[str, ...] = ()
