"""Deduplication of found items, and the limit of items in one section."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from meetings.analysis.findings import ActionItemFound, DecisionFound, Found
from meetings.analysis.languages import language_words
from meetings.analysis.words import stem, words

SHARED_WORDS = 0.6  # of the content words of the shorter text
MAX_ITEMS = 200  # in one section; each new item is compared with all kept ones


class DistinctItems(NamedTuple):
    """The items of a section in order; `has_more` is true when less sure ones were dropped."""

    items: tuple[Found, ...]
    has_more: bool = False


def distinct(found: Sequence[ActionItemFound | DecisionFound], language: str) -> DistinctItems:
    """Return at most MAX_ITEMS items without duplicates; of two wordings the surer one stays.

    `language` is an ISO 639-1 code. Two texts are duplicates when they share enough stems.
    """
    table = language_words(language)
    kept_stems: list[frozenset[str]] = []
    kept: list[int] = []
    has_more = False
    # The surest first, so the work grows with the number of items and not with its square.
    for number in sorted(range(len(found)), key=lambda number: -found[number].confidence):
        stems = frozenset(
            stem(word, table.stemmer)
            for word in words(found[number].text)
            if word not in table.stop_words
        )
        if any(_is_duplicate(known, stems) for known in kept_stems):
            continue
        if len(kept) == MAX_ITEMS:
            has_more = True
            break
        kept_stems.append(stems)
        kept.append(number)
    return DistinctItems(tuple(found[number] for number in sorted(kept)), has_more)


def _is_duplicate(stems: frozenset[str], other: frozenset[str]) -> bool:
    shorter = min(len(stems), len(other))
    # One shared word out of one says nothing: "Agreed." would hide another "Agreed.".
    return shorter >= 2 and len(stems & other) >= SHARED_WORDS * shorter
