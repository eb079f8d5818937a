"""What somebody perhaps has to do: tasks given and promises made in words kept for it."""

from __future__ import annotations

from dataclasses import dataclass

from meetings.analysis import due_dates
from meetings.analysis.discussion import Discussion
from meetings.analysis.findings import ActionItemFound
from meetings.analysis.fluent import fluent
from meetings.analysis.language import Cue, Language
from meetings.analysis.sameness import Sameness
from meetings.analysis.sentences import Sentence, quotes
from meetings.analysis.words import length

SHORTEST = 4  # words
DUE_ADDS = 0.1  # a promise with a date is meant more often than one without


@dataclass(frozen=True, slots=True)
class _Task:
    owner: str
    confidence: float
    start: int


def find(
    discussion: Discussion, said: list[Sentence], language: Language
) -> tuple[ActionItemFound, ...]:
    """The action items in order. Said again later, one counts once, with the surer wording.

    Confidence is how far the wording can be trusted: 0.85 and more for a label ("Action:"), about
    0.8 for a named person's task, 0.7 for a promise in the first person; a due date adds to it.
    """
    known = Sameness(language)
    found: list[ActionItemFound] = []
    for sentence in said:
        text = " ".join(sentence.text.split())
        task = _task(text, sentence.speaker, language)
        if task is not None and length(text) >= SHORTEST:
            known.add(found, _item(discussion, sentence, text, task, language))
    return tuple(found)


def _item(
    discussion: Discussion, sentence: Sentence, text: str, task: _Task, language: Language
) -> ActionItemFound:
    due = due_dates.find(text, language, discussion.held_on, after=task.start)
    sure = task.confidence + (DUE_ADDS if due else 0)
    return ActionItemFound(
        text=fluent(text, language),
        confidence=round(min(sure, 0.95), 2),
        quotes=quotes(sentence, discussion.turns),
        owner_name=task.owner,
        due_on=due.on if due else None,
        due_phrase=due.phrase if due else "",
    )


def _task(text: str, speaker: str, language: Language) -> _Task | None:
    """The surest task in a sentence that nothing in it takes back."""
    tasks = [task for cue in language.action_items if (task := _by(cue, text, speaker, language))]
    if not tasks or any(refusal.search(text) for refusal in language.not_action_items):
        return None
    return max(tasks, key=lambda task: task.confidence)


def _by(cue: Cue, text: str, speaker: str, language: Language) -> _Task | None:
    for match in cue.pattern.finditer(text):
        said = (match.capturesdict().get("owner") or [""])[0]
        if not said:
            return _Task("", cue.confidence, match.start())
        if said.lower() in language.speaker_says:
            return _Task(speaker, cue.confidence, match.start())
        if name := _name(said, language):
            return _Task(name, cue.confidence, match.start())
    return None


def _name(said: str, language: Language) -> str:
    """Capitalised words without those that are nobody's name: "Then Anna" is Anna."""
    rest = said.split()
    while rest and rest[0].lower() in language.not_names:
        del rest[0]
    return "" if any(word.lower() in language.not_names for word in rest) else " ".join(rest)
