"""Finds the chapters of a discussion: where its words change, and the phrases of each part.

The cut is the one a model of word probabilities likes best (Utiyama and Isahara 2001): each
chapter pays for its words by how often they come in it, and every chapter costs something.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from meetings.analysis.deduplication import DistinctItems
from meetings.analysis.discussion import Discussion
from meetings.analysis.findings import TopicFound
from meetings.analysis.rules.disfluencies import remove_disfluencies
from meetings.analysis.rules.language import Language
from meetings.analysis.rules.phrases import Phrases
from meetings.analysis.rules.sentences import Sentence, quotes
from meetings.analysis.rules.tfidf import content_words
from meetings.analysis.words import stem

Matrix = npt.NDArray[np.float64]
MAX_BLOCKS = 120  # the work grows with their square, so long meetings get longer blocks
MIN_BLOCK = 60  # words
MAX_STEMS = 1500  # different ones that are looked at, the most frequent
MIN_CHAPTER = 250  # words; less is an aside
MAX_CHAPTERS = 16
CHAPTER_COST = 2.0  # in logarithms of the number of words
TITLE_PHRASES = 3
Chapter = tuple[int, int]  # first and last turn, both included


def find(discussion: Discussion, sentences: list[Sentence], language: Language) -> DistinctItems:
    """Return chapters from the first turn to the last without a gap, titled by their phrases."""
    if not sentences:
        return DistinctItems(())
    chapters = _chapters(discussion, sentences, language)
    by_chapter: list[list[Sentence]] = [[] for _ in chapters]
    number = 0
    for sentence in sentences:
        while sentence.parts[0].turn > chapters[number][1]:
            number += 1
        by_chapter[number].append(sentence)
    texts = [
        [remove_disfluencies(sentence.text, language) for sentence in chapter_sentences]
        for chapter_sentences in by_chapter
    ]
    phrases = Phrases(texts, language, {turn.speaker for turn in discussion.turns})
    return DistinctItems(
        tuple(
            _topic(discussion, chapter, by_chapter[number], phrases.top(number, TITLE_PHRASES))
            for number, chapter in enumerate(chapters)
        )
    )


def _topic(
    discussion: Discussion, chapter: Chapter, sentences: list[Sentence], phrases: list[str]
) -> TopicFound:
    first, last = chapter
    # The first of the sentences that hold most of the title's phrases.
    shown = max(
        sentences,
        key=lambda sentence: sum(phrase in sentence.text.lower() for phrase in phrases),
    )
    title = ", ".join(phrases) or " ".join(shown.text.split()[:6])
    return TopicFound(
        title=title[:1].upper() + title[1:],
        first_turn_id=discussion.turns[first].id,
        last_turn_id=discussion.turns[last].id,
        quotes=quotes(shown, discussion.turns),
    )


def _chapters(
    discussion: Discussion, sentences: list[Sentence], language: Language
) -> list[Chapter]:
    stems_by_turn: list[list[str]] = [[] for _ in discussion.turns]
    contents = content_words([sentence.text for sentence in sentences], language)
    for sentence, content in zip(sentences, contents, strict=True):
        stems = (stem(word, language.stemmer) for word in content)
        stems_by_turn[sentence.parts[0].turn].extend(stems)
    sizes = [len(turn.text.split()) for turn in discussion.turns]
    starts = _block_starts(sizes)
    ends = [*starts[1:], len(sizes)]
    block_sizes = np.array([sum(sizes[a:b]) for a, b in zip(starts, ends, strict=True)], float)
    cuts = _cheapest_cuts(_stem_counts(stems_by_turn, starts), block_sizes)
    firsts = [starts[cut] for cut in cuts]
    lasts = [first - 1 for first in firsts[1:]] + [len(sizes) - 1]
    spoken_turns = {sentence.parts[0].turn for sentence in sentences}
    return _without_silent(list(zip(firsts, lasts, strict=True)), spoken_turns)


def _block_starts(sizes: Sequence[int]) -> list[int]:
    """Return the turns at which blocks of about equal length begin."""
    min_size = max(MIN_BLOCK, sum(sizes) // MAX_BLOCKS + 1)
    starts, size = [0], 0
    for turn, turn_size in enumerate(sizes[:-1]):
        size += turn_size
        if size >= min_size:
            starts.append(turn + 1)
            size = 0
    return starts


def _stem_counts(stems_by_turn: list[list[str]], starts: list[int]) -> Matrix:
    """Return how often each stem comes in each block."""
    totals = Counter(term for stems in stems_by_turn for term in stems)
    # A stem that comes once says nothing about where a chapter ends.
    repeated = sorted(
        (term for term, count in totals.items() if count > 1),
        key=lambda term: (-totals[term], term),
    )
    columns = {term: column for column, term in enumerate(repeated[:MAX_STEMS])}
    counts = np.zeros((len(starts), max(1, len(columns))))
    ends = [*starts[1:], len(stems_by_turn)]
    for block, (start, end) in enumerate(zip(starts, ends, strict=True)):
        for term in (term for stems in stems_by_turn[start:end] for term in stems):
            if term in columns:
                counts[block, columns[term]] += 1
    return counts


def _cheapest_cuts(counts: Matrix, sizes: Matrix) -> list[int]:
    """Return the blocks at which the cheapest division into chapters begins a new one."""
    blocks = len(counts)
    sums = np.vstack([np.zeros(counts.shape[1]), np.cumsum(counts, axis=0)])
    lengths = np.concatenate([[0.0], np.cumsum(sizes)])
    chapter_cost = math.log(max(2.0, counts.sum())) * CHAPTER_COST
    min_length = max(MIN_CHAPTER, lengths[-1] / MAX_CHAPTERS)
    cheapest = [0.0] + [math.inf] * blocks
    best_start = [0] * (blocks + 1)
    for end in range(1, blocks + 1):
        word_costs = _word_costs(sums, end)
        costs = word_costs + np.array(cheapest[:end]) + chapter_cost
        costs[lengths[end] - lengths[:end] < min_length] = math.inf
        # One chapter from the start is always possible, however short.
        costs[0] = min(costs[0], word_costs[0] + chapter_cost)
        best_start[end] = int(np.argmin(costs))
        cheapest[end] = float(costs[best_start[end]])
    # Back from the end, each chapter names the start of the best division before it.
    cuts, block = [], blocks
    while block > 0:
        block = best_start[block]
        cuts.append(block)
    return cuts[::-1]


def _word_costs(sums: Matrix, end: int) -> Matrix:
    """Return the cost of the words of blocks `start` to `end` as one chapter, for every start."""
    inside = sums[end] - sums[:end]
    total = inside.sum(axis=1)
    width = sums.shape[1]
    spelled = (inside * np.log(inside + 1.0)).sum(axis=1)
    result: Matrix = total * np.log(total + width) - spelled
    return result


def _without_silent(chapters: list[Chapter], spoken_turns: set[int]) -> list[Chapter]:
    """Return the chapters; one in which nothing was said joins the one before."""
    kept: list[Chapter] = []
    was_spoken = True
    for first, last in chapters:
        is_spoken = not spoken_turns.isdisjoint(range(first, last + 1))
        if kept and not (is_spoken and was_spoken):
            kept[-1] = (kept[-1][0], last)
            was_spoken = was_spoken or is_spoken
        else:
            kept.append((first, last))
            was_spoken = is_spoken
    return kept
