"""Finds decisions: sentences with a decision cue and nothing that refuses it."""

from __future__ import annotations

from meetings.analysis.deduplication import DistinctItems, distinct
from meetings.analysis.discussion import Discussion
from meetings.analysis.findings import DecisionFound
from meetings.analysis.rules.disfluencies import item_text
from meetings.analysis.rules.language import Language
from meetings.analysis.rules.sentences import Sentence, quotes
from meetings.analysis.words import word_count

MIN_WORDS = 4  # "We agreed." names no decision


def find(discussion: Discussion, sentences: list[Sentence], language: Language) -> DistinctItems:
    """Return the surest decisions in order, without duplicates.

    Confidence is how far the wording alone can be trusted: 0.9 and more for a label ("Decision:"),
    about 0.8 for a formal report ("we agreed that"), 0.7 for free speech ("let's go with").
    """
    found: list[DecisionFound] = []
    for sentence in sentences:
        text = " ".join(sentence.text.split())
        confidences = [cue.confidence for cue in language.decisions if cue.pattern.search(text)]
        if not confidences or word_count(text) < MIN_WORDS:
            continue
        # Precision before recall: one doubt anywhere in the sentence refuses all of it.
        if any(refusal.search(text) for refusal in language.not_decisions):
            continue
        found.append(
            DecisionFound(
                text=item_text(text, language),
                confidence=max(confidences),
                quotes=quotes(sentence, discussion.turns),
            )
        )
    return distinct(found, language.code)


def is_past_decision(text: str, language: Language) -> bool:
    """Whether a sentence reports a decision of another time: "last year we decided"."""
    if language.deciding is None or language.past is None:
        return False
    return bool(language.deciding.search(text) and language.past.search(text))
