"""What somebody perhaps has to do: tasks given and promises made in words kept for it."""

from __future__ import annotations

from dataclasses import dataclass

import regex

from meetings.analysis.deduplication import DistinctItems, distinct
from meetings.analysis.discussion import Discussion
from meetings.analysis.findings import ActionItemFound
from meetings.analysis.rules import due_dates
from meetings.analysis.rules.disfluencies import item as item_text
from meetings.analysis.rules.language import Cue, Language
from meetings.analysis.rules.participants import Participants
from meetings.analysis.rules.sentences import Sentence, quotes
from meetings.analysis.rules.tfidf import content_words
from meetings.analysis.words import folded, length, stem

SHORTEST = 4  # words
ASKS = regex.compile(r"[?？؟]\W*+$")
ANSWERED_WITHIN = 2  # turns
DUE_ADDS = 0.1  # a promise with a date is meant more often than one without


@dataclass(frozen=True, slots=True)
class _Task:
    owner: str
    confidence: float
    start: int
    needs_due: bool


@dataclass(frozen=True, slots=True)
class _Said:
    item: ActionItemFound
    sentence: Sentence


def find(discussion: Discussion, said: list[Sentence], language: Language) -> DistinctItems:
    """The surest action items in order. Said again later, one counts once, with the surer wording.

    Confidence is how far the wording can be trusted: 0.85 and more for a label ("Action:"), about
    0.8 for a named person's task, 0.7 for a promise in the first person; a due date adds to it.
    """
    present = Participants(discussion, language)
    found: list[_Said] = []
    for sentence in said:
        text = " ".join(sentence.text.split())
        if length(text) < SHORTEST or _taken_back(text, language):
            continue
        tasks = _tasks(present.named(text), sentence.speaker, present, language)
        if tasks and (item := _item(discussion, sentence, tasks, language)):
            new = _Said(item, sentence)
            if found and _answers(new, found[-1], language):
                new = _Said(_answered(found.pop().item, item), sentence)
            found.append(new)
    return distinct([each.item for each in found], language.code)


def _answers(answer: _Said, asked: _Said, language: Language) -> bool:
    """Whether somebody takes on what was asked of them a turn or two before, and adds only a day.

    "Can you review the contract, Anna?" "I will review it by Wednesday."
    """
    task, question = answer.item, asked.item
    near = answer.sentence.parts[0].turn - asked.sentence.parts[-1].turn <= ANSWERED_WITHIN
    if not near or not ASKS.search(question.text) or not _is_one_person(task, question, answer):
        return False
    said = task.text.replace(task.due_phrase, " ") if task.due_phrase else task.text
    new, known = content_words([said, question.text], language)
    stems = {stem(word, language.stemmer) for word in new}
    return stems <= {stem(word, language.stemmer) for word in known}


def _is_one_person(task: ActionItemFound, question: ActionItemFound, answer: _Said) -> bool:
    owner, asked = set(folded(task.owner_name).split()), set(folded(question.owner_name).split())
    speaks_for_self = task.owner_name == answer.sentence.speaker
    return speaks_for_self and bool(owner & asked) and (owner <= asked or asked <= owner)


def _answered(question: ActionItemFound, answer: ActionItemFound) -> ActionItemFound:
    """One item of the two: what is to be done was asked, and by when was answered."""
    dated = answer if answer.due_phrase else question
    return ActionItemFound(
        text=f"{question.text} {answer.text}",
        confidence=max(question.confidence, answer.confidence),
        quotes=(*question.quotes, *answer.quotes),
        owner_name=answer.owner_name,
        due_on=dated.due_on,
        due_phrase=dated.due_phrase,
    )


def _taken_back(text: str, language: Language) -> bool:
    return any(refusal.search(text) for refusal in language.not_action_items)


def _item(
    discussion: Discussion, sentence: Sentence, tasks: list[_Task], language: Language
) -> ActionItemFound | None:
    """The surest task of a sentence, with its due date."""
    text = " ".join(sentence.text.split())
    start = min(task.start for task in tasks)
    due = due_dates.find(text, language, discussion.held_on, after=start)
    strong = [task for task in tasks if due or not task.needs_due]
    if not strong:
        return None
    task = max(strong, key=lambda each: each.confidence)
    sure = task.confidence + (DUE_ADDS if due else 0)
    return ActionItemFound(
        text=item_text(text, language),
        confidence=round(min(sure, 0.95), 2),
        quotes=quotes(sentence, discussion.turns),
        owner_name=task.owner,
        due_on=due.on if due else None,
        due_phrase=due.phrase if due else "",
    )


def _tasks(text: str, speaker: str, present: Participants, language: Language) -> list[_Task]:
    found = (_task(cue, text, speaker, present, language) for cue in language.action_items)
    return [task for task in found if task is not None]


def _task(
    cue: Cue, text: str, speaker: str, present: Participants, language: Language
) -> _Task | None:
    if ASKS.search(text) and "request" not in cue.needs:
        return None
    for match in cue.pattern.finditer(text):
        said = (match.capturesdict().get("owner") or [""])[0]
        if "speaker" in cue.needs or folded(said) in language.speaker_says:
            return _Task(speaker, cue.confidence, match.start(), "due" in cue.needs)
        name = _name(said, language)
        here = present.include(name)
        if (said and not name) or ("participant" in cue.needs and not here):
            continue
        needs_due = "due" in cue.needs or ("known" in cue.needs and not here)
        return _Task(name, cue.confidence, match.start(), needs_due)
    return None


def _name(said: str, language: Language) -> str:
    """Capitalised words behind the last one that is nobody's name: "By Friday Anna" is Anna."""
    rest = said.split()
    for at in range(len(rest) - 1, -1, -1):
        if rest[at].lower() in language.not_names:
            return " ".join(rest[at + 1 :])
    return said
