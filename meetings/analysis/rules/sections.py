"""Which function finds which section. What it loads (numpy, dateparser) only workers need."""

from __future__ import annotations

from collections.abc import Callable

from meetings.analysis.deduplication import DistinctItems
from meetings.analysis.discussion import Discussion
from meetings.analysis.findings import Section
from meetings.analysis.rules import action_items, decisions, summary, topics
from meetings.analysis.rules.language import Language
from meetings.analysis.rules.sentences import Sentence

_Finder = Callable[[Discussion, list[Sentence], Language], DistinctItems]


def _summary(discussion: Discussion, said: list[Sentence], language: Language) -> DistinctItems:
    found = summary.find(discussion, said, language)
    return DistinctItems((found,) if found else ())


def _topics(discussion: Discussion, said: list[Sentence], language: Language) -> DistinctItems:
    return DistinctItems(topics.find(discussion, said, language))


FINDERS: dict[Section, _Finder] = {
    Section.SUMMARY: _summary,
    Section.TOPICS: _topics,
    Section.DECISIONS: decisions.find,
    Section.ACTION_ITEMS: action_items.find,
}
