"""The content words of sentences, and their tf-idf vectors."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from meetings.analysis.rules.language import Language
from meetings.analysis.words import stem, words

# In a language without a table, words above this share of all words count as stop words.
STOP_WORD_SHARE = 0.006
MIN_STOP_WORD_COUNT = 5.0
Vector = dict[str, float]


def content_words(texts: Sequence[str], language: Language) -> list[list[str]]:
    """Return the words of each text that carry meaning, in order and in lower case."""
    tokens = [words(text) for text in texts]
    stop_words = language.stop_words
    if not stop_words:
        counts = Counter(word for text in tokens for word in text)
        limit = max(MIN_STOP_WORD_COUNT, STOP_WORD_SHARE * counts.total())
        stop_words = frozenset(word for word, count in counts.items() if count > limit)
    return [
        [word for word in text if len(word) > 1 and word not in stop_words and not word.isdigit()]
        for text in tokens
    ]


def tfidf_vectors(contents: Sequence[Sequence[str]], language: Language) -> list[Vector]:
    """Return a unit vector of tf-idf by stem for each text; an empty one for an empty text."""
    term_counts = [Counter(stem(word, language.stemmer) for word in words) for words in contents]
    document_counts = Counter(term for counts in term_counts for term in counts)
    idf = {
        term: math.log((1 + len(term_counts)) / (1 + count)) + 1
        for term, count in document_counts.items()
    }
    return [
        unit_vector({term: count * idf[term] for term, count in counts.items()})
        for counts in term_counts
    ]


def unit_vector(vector: Vector) -> Vector:
    """Return the vector at length one."""
    size = math.sqrt(sum(value * value for value in vector.values()))
    return {term: value / size for term, value in vector.items()} if size else {}


def cosine(vector: Vector, other: Vector) -> float:
    """Return the cosine of two unit vectors."""
    if len(other) < len(vector):
        vector, other = other, vector
    return sum(value * other[term] for term, value in vector.items() if term in other)
