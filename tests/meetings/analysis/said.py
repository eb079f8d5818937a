"""Discussions for tests, and what is found in them."""

from __future__ import annotations

from datetime import date

from meetings.analysis.discussion import Discussion, Turn
from meetings.analysis.engines import ENGINE
from meetings.analysis.findings import (
    ActionItemFound,
    DecisionFound,
    Section,
    SectionFindings,
    SummaryFound,
    TopicFound,
)

MONDAY = date(2026, 3, 2)


def discussion(*lines: str, language: str = "en", held_on: date | None = MONDAY) -> Discussion:
    """Turns written as "Anna: what she says"."""
    parts = [line.partition(": ") for line in lines]
    turns = (Turn(f"t{n}", text, speaker) for n, (speaker, _, text) in enumerate(parts))
    return Discussion(tuple(turns), language, held_on)


def find(section: Section, *lines: str, language: str = "en") -> SectionFindings:
    return ENGINE.find(section, discussion(*lines, language=language))


def decisions(*lines: str, language: str = "en") -> list[DecisionFound]:
    items = find(Section.DECISIONS, *lines, language=language).items
    return [item for item in items if isinstance(item, DecisionFound)]


def action_items(*lines: str, language: str = "en") -> list[ActionItemFound]:
    items = find(Section.ACTION_ITEMS, *lines, language=language).items
    return [item for item in items if isinstance(item, ActionItemFound)]


def summaries(read: Discussion) -> list[SummaryFound]:
    items = ENGINE.find(Section.SUMMARY, read).items
    return [item for item in items if isinstance(item, SummaryFound)]


def topics(read: Discussion) -> list[TopicFound]:
    items = ENGINE.find(Section.TOPICS, read).items
    return [item for item in items if isinstance(item, TopicFound)]
