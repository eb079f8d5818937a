"""When two items are one: said in the discussion, and once more when the meeting sums up."""

from __future__ import annotations

from typing import TypeVar

from meetings.analysis.findings import ActionItemFound, DecisionFound
from meetings.analysis.language import Language
from meetings.analysis.words import stem, words

Item = TypeVar("Item", ActionItemFound, DecisionFound)
ALIKE = 0.6  # of the content words of the shorter


class Sameness:
    """Adds items to a list, and lets a second wording of one replace or join the first."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._contents: list[frozenset[str]] = []

    def add(self, found: list[Item], item: Item) -> None:
        """Append `item`, unless the list holds it already: then the surer of the two stays."""
        content = self._content(item.text)
        for at, known in enumerate(self._contents):
            if _alike(known, content):
                if item.confidence > found[at].confidence:
                    found[at] = item
                return
        found.append(item)
        self._contents.append(content)

    def _content(self, text: str) -> frozenset[str]:
        language = self._language
        return frozenset(
            stem(word, language.stemmer) for word in words(text) if word not in language.stop_words
        )


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    shorter = min(len(one), len(other))
    return shorter >= 2 and len(one & other) >= ALIKE * shorter
