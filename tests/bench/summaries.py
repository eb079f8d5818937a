"""How near summaries come to what people wrote of twelve real meetings, and two plain rivals.

ROUGE as it is usually given: F1 x 100 of stemmed words (Lin 2004). The rivals get the same cleaned
sentences, speakers' names and 150 words as the engine. Difference: paired, bootstrapped by meeting.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from meetings.analysis.discussion import Discussion, Turn
from meetings.analysis.engines import ENGINE
from meetings.analysis.findings import Section, SummaryFound
from meetings.analysis.rules.disfluencies import remove_disfluencies
from meetings.analysis.rules.language import table
from meetings.analysis.rules.sentences import split_sentences

FOLDER = Path(__file__).resolve().parents[1] / "data" / "qmsum"
METRICS = ("rouge1", "rouge2")
WORDS = 150
SHORTEST = 5  # words: "Okay." is no sentence for a rival either
DRAWS = 2000
DAMPING = 0.85
Scores = dict[str, list[float]]


@dataclass(frozen=True, slots=True)
class Meeting:
    """A real meeting and what a person wrote of it."""

    name: str
    discussion: Discussion
    reference: str


Summarizer = Callable[[Discussion], str]


def meetings() -> list[Meeting]:
    """All meetings of tests/data/qmsum by name."""
    return [_meeting(file) for file in sorted(FOLDER.glob("*.json"))]


def _meeting(file: Path) -> Meeting:
    read = json.loads(file.read_text("utf-8"))
    turns = tuple(
        Turn(str(number), turn["text"], turn["speaker"])
        for number, turn in enumerate(read["turns"])
    )
    return Meeting(read["id"], Discussion(turns, "en"), read["summary"])


def scores(all_meetings: Sequence[Meeting], summarize: Summarizer) -> Scores:
    """ROUGE-1 and ROUGE-2 for each meeting in order. Nothing said scores 0."""
    from rouge_score import rouge_scorer  # brings nltk, which tests that only read texts wait for

    scorer = rouge_scorer.RougeScorer(METRICS, use_stemmer=True)
    found = [scorer.score(each.reference, summarize(each.discussion)) for each in all_meetings]
    return {metric: [100 * each[metric].fmeasure for each in found] for metric in METRICS}


def interval(values: Sequence[float], *, seed: int = 7) -> tuple[float, float]:
    """The 95 % bootstrap interval of the mean; the same for the same values."""
    draw = random.Random(seed)
    means = sorted(math.fsum(draw.choices(values, k=len(values))) for _ in range(DRAWS))
    low, high = means[int(0.025 * DRAWS)], means[int(0.975 * DRAWS)]
    return low / len(values), high / len(values)


def engine(discussion: Discussion) -> str:
    """The summary of the embedded engine."""
    items = ENGINE.find(Section.SUMMARY, discussion).items
    return " ".join(item.text for item in items if isinstance(item, SummaryFound))


def lead(discussion: Discussion) -> str:
    """How the meeting began."""
    said = _cleaned(discussion)
    return _told(said, range(len(said)))


def textrank(discussion: Discussion) -> str:
    """The sentences that share most words with all others (Mihalcea and Tarau 2004)."""
    said = _cleaned(discussion)
    ranks = _ranks([text for _, text in said])
    return _told(said, sorted(range(len(said)), key=lambda number: -ranks[number]))


def _cleaned(discussion: Discussion) -> list[tuple[str, str]]:
    language = table(discussion.language)
    said = [
        (each.speaker, remove_disfluencies(each.text, language))
        for each in split_sentences(discussion, language)
    ]
    return [(speaker, text) for speaker, text in said if len(text.split()) >= SHORTEST]


def _told(said: Sequence[tuple[str, str]], order: Sequence[int]) -> str:
    """As many sentences as fit, taken in `order`, told in the order of the meeting."""
    chosen: list[int] = []
    room = WORDS
    for number in order:
        words = sum(len(part.split()) for part in said[number])
        if words <= room:
            chosen.append(number)
            room -= words
        if room < SHORTEST:
            break
    return " ".join(f"{said[number][0]}: {said[number][1]}" for number in sorted(chosen))


def _ranks(texts: Sequence[str]) -> list[float]:
    vocabulary: dict[str, int] = {}
    sets = [{word.strip(".,?!").lower() for word in text.split()} for text in texts]
    for words in sets:
        for word in sorted(words):
            vocabulary.setdefault(word, len(vocabulary))
    held = np.zeros((len(sets), len(vocabulary)), np.float32)
    for number, words in enumerate(sets):
        held[number, [vocabulary[word] for word in words]] = 1
    logs = np.log(np.maximum(held.sum(axis=1), 2))
    alike = (held @ held.T) / (logs[:, None] + logs[None, :])
    np.fill_diagonal(alike, 0)
    flow = alike / np.maximum(alike.sum(axis=0), 1e-9)
    rank = np.full(len(sets), 1 / len(sets))
    for _ in range(50):
        rank = (1 - DAMPING) / len(sets) + DAMPING * (flow @ rank)
    return [float(each) for each in rank]
