"""The chapters of a discussion: where its words change, and what each part is about.

The cut is the one a model of word probabilities likes best (Utiyama and Isahara 2001): each
chapter pays for its words by how often they come in it, and every chapter costs something.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from meetings.analysis.discussion import Discussion
from meetings.analysis.findings import TopicFound
from meetings.analysis.rules.disfluencies import fluent
from meetings.analysis.rules.language import Language
from meetings.analysis.rules.phrases import Phrases
from meetings.analysis.rules.sentences import Sentence, quotes
from meetings.analysis.rules.tfidf import content_words
from meetings.analysis.words import stem

Matrix = npt.NDArray[np.float64]
MOST_BLOCKS = 120  # the reckoning grows with their square, so long meetings get longer blocks
LEAST_BLOCK = 60  # words
MOST_WORDS = 1500  # different stems that are looked at, the most frequent ones
LEAST_CHAPTER = 250  # words; less is an aside
MOST_CHAPTERS = 16
PRICE = 2.0  # of a new chapter, in logarithms of the number of words
TITLE_PHRASES = 3
Chapter = tuple[int, int]  # first and last turn, both included


def find(
    discussion: Discussion, said: list[Sentence], language: Language
) -> tuple[TopicFound, ...]:
    """Chapters from the first turn to the last without a gap, titled by their own phrases."""
    if not said:
        return ()
    chapters = _chapters(discussion, said, language)
    by_chapter = _sorted_in(said, chapters)
    texts = [[fluent(each.text, language) for each in part] for part in by_chapter]
    phrases = Phrases(texts, language, {turn.speaker for turn in discussion.turns})
    return tuple(
        _topic(discussion, chapter, part, phrases.of(number, TITLE_PHRASES))
        for number, (chapter, part) in enumerate(zip(chapters, by_chapter, strict=True))
    )


def _topic(
    discussion: Discussion, chapter: Chapter, part: list[Sentence], phrases: list[str]
) -> TopicFound:
    first, last = chapter
    shown = _telling(part, phrases)
    title = ", ".join(phrases) or " ".join(shown.text.split()[:6])
    return TopicFound(
        title=title[:1].upper() + title[1:],
        first_turn_id=discussion.turns[first].id,
        last_turn_id=discussion.turns[last].id,
        quotes=quotes(shown, discussion.turns),
    )


def _telling(part: list[Sentence], phrases: list[str]) -> Sentence:
    """The first of the sentences that hold most of the title's phrases."""
    return max(part, key=lambda each: sum(phrase in each.text.lower() for phrase in phrases))


def _sorted_in(said: list[Sentence], chapters: list[Chapter]) -> list[list[Sentence]]:
    parts: list[list[Sentence]] = [[] for _ in chapters]
    at = 0
    for sentence in said:
        while sentence.parts[0].turn > chapters[at][1]:
            at += 1
        parts[at].append(sentence)
    return parts


def _chapters(discussion: Discussion, said: list[Sentence], language: Language) -> list[Chapter]:
    by_turn: list[list[str]] = [[] for _ in discussion.turns]
    for sentence, content in zip(
        said, content_words([each.text for each in said], language), strict=True
    ):
        by_turn[sentence.parts[0].turn].extend(content)
    sizes = [len(turn.text.split()) for turn in discussion.turns]
    starts = _block_starts(sizes)
    cuts = _best_cuts(_counted(by_turn, starts, language), _sizes_of(sizes, starts))
    firsts = [starts[cut] for cut in cuts]
    lasts = [first - 1 for first in firsts[1:]] + [len(by_turn) - 1]
    return _without_silent(list(zip(firsts, lasts, strict=True)), said)


def _without_silent(chapters: list[Chapter], said: list[Sentence]) -> list[Chapter]:
    """Chapters in which nothing was said join the one before."""
    spoken = {sentence.parts[0].turn for sentence in said}
    kept: list[Chapter] = []
    for first, last in chapters:
        silent = not any(turn in spoken for turn in range(first, last + 1))
        if kept and (silent or not _speaks(kept[-1], spoken)):
            kept[-1] = (kept[-1][0], last)
        else:
            kept.append((first, last))
    return kept


def _speaks(chapter: Chapter, spoken: set[int]) -> bool:
    return any(turn in spoken for turn in range(chapter[0], chapter[1] + 1))


def _block_starts(sizes: Sequence[int]) -> list[int]:
    """The turns at which blocks of about equal length begin."""
    least = max(LEAST_BLOCK, sum(sizes) // MOST_BLOCKS + 1)
    starts, filled = [0], 0
    for turn, size in enumerate(sizes[:-1]):
        filled += size
        if filled >= least:
            starts.append(turn + 1)
            filled = 0
    return starts


def _sizes_of(sizes: Sequence[int], starts: Sequence[int]) -> Matrix:
    ends = [*starts[1:], len(sizes)]
    return np.array([sum(sizes[a:b]) for a, b in zip(starts, ends, strict=True)], float)


def _counted(by_turn: list[list[str]], starts: list[int], language: Language) -> Matrix:
    """How often each stem comes in each block."""
    stems = [[stem(word, language.stemmer) for word in each] for each in by_turn]
    totals: dict[str, int] = {}
    for each in stems:
        for word in each:
            totals[word] = totals.get(word, 0) + 1
    frequent = sorted((word for word, n in totals.items() if n > 1), key=lambda w: (-totals[w], w))
    column = {word: number for number, word in enumerate(frequent[:MOST_WORDS])}
    counts = np.zeros((len(starts), max(1, len(column))))
    for block, (a, b) in enumerate(zip(starts, [*starts[1:], len(stems)], strict=True)):
        for each in stems[a:b]:
            for word in each:
                if word in column:
                    counts[block, column[word]] += 1
    return counts


def _best_cuts(counts: Matrix, sizes: Matrix) -> list[int]:
    """The blocks at which the cheapest division into chapters begins a new one."""
    blocks = len(counts)
    sums = np.vstack([np.zeros(counts.shape[1]), np.cumsum(counts, axis=0)])
    lengths = np.concatenate([[0.0], np.cumsum(sizes)])
    price = math.log(max(2.0, counts.sum())) * PRICE
    least = max(LEAST_CHAPTER, lengths[-1] / MOST_CHAPTERS)
    cheapest = [0.0] + [math.inf] * blocks
    came_from = [0] * (blocks + 1)
    for end in range(1, blocks + 1):
        costs = _costs(sums, end) + np.array(cheapest[:end]) + price
        costs[lengths[end] - lengths[:end] < least] = math.inf
        costs[0] = min(costs[0], _costs(sums, end)[0] + price)
        came_from[end] = int(np.argmin(costs))
        cheapest[end] = float(costs[came_from[end]])
    return _traced(came_from, blocks)


def _costs(sums: Matrix, end: int) -> Matrix:
    """What the words of blocks `start` to `end` cost as one chapter, for every start."""
    inside = sums[end] - sums[:end]
    total = inside.sum(axis=1)
    width = sums.shape[1]
    spelled = (inside * np.log(inside + 1.0)).sum(axis=1)
    return total * np.log(total + width) - spelled


def _traced(came_from: list[int], blocks: int) -> list[int]:
    cuts, at = [], blocks
    while at > 0:
        at = came_from[at]
        cuts.append(at)
    return cuts[::-1]
