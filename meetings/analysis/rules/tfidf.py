"""What sentences are about: their content words, weighed by how much they tell."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from meetings.analysis.rules.language import Language
from meetings.analysis.words import stem, words

# Where a language has no table, its most frequent words are taken for those that say little.
FREQUENT = 0.006  # of all words
Weights = dict[str, float]


def content_words(texts: Sequence[str], language: Language) -> list[list[str]]:
    """The words of each text that carry meaning, in order and in lower case."""
    said = [words(text) for text in texts]
    empty = language.stop_words or _frequent(said)
    return [[word for word in each if _tells(word, empty)] for each in said]


def _tells(word: str, empty: frozenset[str]) -> bool:
    return len(word) > 1 and word not in empty and not word.isdigit()


def _frequent(said: Sequence[Sequence[str]]) -> frozenset[str]:
    counts = Counter(word for each in said for word in each)
    least = max(5.0, FREQUENT * counts.total())
    return frozenset(word for word, count in counts.items() if count > least)


def weights(contents: Sequence[Sequence[str]], language: Language) -> list[Weights]:
    """One unit vector of tf-idf by stem for each text; an empty one where nothing is said."""
    stems = [Counter(stem(word, language.stemmer) for word in each) for each in contents]
    spread = Counter(each for counts in stems for each in counts)
    rarity = {each: math.log((1 + len(stems)) / (1 + seen)) + 1 for each, seen in spread.items()}
    return [unit({each: n * rarity[each] for each, n in counts.items()}) for counts in stems]


def unit(vector: Weights) -> Weights:
    """The vector at length one."""
    size = math.sqrt(sum(value * value for value in vector.values()))
    return {each: value / size for each, value in vector.items()} if size else {}


def likeness(one: Weights, other: Weights) -> float:
    """The cosine of two unit vectors."""
    if len(other) < len(one):
        one, other = other, one
    return sum(value * other[each] for each, value in one.items() if each in other)
