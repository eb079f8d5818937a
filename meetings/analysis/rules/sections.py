"""The function that finds each section; importing it loads numpy and dateparser."""

from __future__ import annotations

from collections.abc import Callable

from meetings.analysis.deduplication import DistinctItems
from meetings.analysis.discussion import Discussion
from meetings.analysis.findings import Section
from meetings.analysis.rules import action_items, decisions, summary, topics
from meetings.analysis.rules.language import Language
from meetings.analysis.rules.sentences import Sentence

Finder = Callable[[Discussion, list[Sentence], Language], DistinctItems]

FINDERS: dict[Section, Finder] = {
    Section.SUMMARY: summary.find,
    Section.TOPICS: topics.find,
    Section.DECISIONS: decisions.find,
    Section.ACTION_ITEMS: action_items.find,
}
