"""What was perhaps decided: sentences that say so in words kept for it, and nothing else."""

from __future__ import annotations

from meetings.analysis.deduplication import DistinctItems, distinct
from meetings.analysis.discussion import Discussion
from meetings.analysis.findings import DecisionFound
from meetings.analysis.rules.disfluencies import item as item_text
from meetings.analysis.rules.language import Language
from meetings.analysis.rules.sentences import Sentence, quotes
from meetings.analysis.words import length

SHORTEST = 4  # words: "We agreed." decides nothing that can be read


def find(discussion: Discussion, said: list[Sentence], language: Language) -> DistinctItems:
    """The surest decisions in order. Said again later, one counts once, in its surer wording.

    Confidence is how far the wording alone can be trusted: 0.9 and more for a label ("Decision:"),
    about 0.8 for a formal report ("we agreed that"), 0.7 for free speech ("let's go with").
    """
    found: list[DecisionFound] = []
    for sentence in said:
        text = " ".join(sentence.text.split())
        confidence = _confidence(text, language)
        if not confidence or length(text) < SHORTEST:
            continue
        found.append(
            DecisionFound(
                text=item_text(text, language),
                confidence=confidence,
                quotes=quotes(sentence, discussion.turns),
            )
        )
    return distinct(found, language.code)


def is_of_the_past(text: str, language: Language) -> bool:
    """Whether a sentence reports what was decided at another time: "last year we decided"."""
    if language.deciding is None or language.past is None:
        return False
    return bool(language.deciding.search(text) and language.past.search(text))


def _confidence(text: str, language: Language) -> float:
    """Of the surest cue in a sentence that nothing in it takes back; else 0."""
    sure = [cue.confidence for cue in language.decisions if cue.pattern.search(text)]
    if not sure or any(refusal.search(text) for refusal in language.not_decisions):
        return 0.0
    return max(sure)
