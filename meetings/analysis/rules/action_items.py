"""Finds action items: tasks that were given and promises that were made, by their cues."""

from __future__ import annotations

from dataclasses import dataclass

import regex

from meetings.analysis.deduplication import DistinctItems, distinct
from meetings.analysis.discussion import Discussion
from meetings.analysis.findings import ActionItemFound
from meetings.analysis.rules import due_dates
from meetings.analysis.rules.disfluencies import item_text
from meetings.analysis.rules.language import Cue, Language
from meetings.analysis.rules.participants import Participants
from meetings.analysis.rules.sentences import Sentence, quotes
from meetings.analysis.rules.tfidf import content_words
from meetings.analysis.words import folded, stem, word_count

MIN_WORDS = 4
QUESTION = regex.compile(r"[?？؟]\W*+$")
ANSWERED_WITHIN = 2  # turns
DUE_DATE_CONFIDENCE = 0.1  # a promise with a date is meant more often than one without
MAX_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class _Task:
    """One cue that matched, and the owner it names."""

    owner: str
    confidence: float
    start: int
    needs_due_date: bool


def find(discussion: Discussion, sentences: list[Sentence], language: Language) -> DistinctItems:
    """Return the surest action items in order, without duplicates.

    Confidence is how far the wording can be trusted: 0.85 and more for a label ("Action:"), about
    0.8 for a named person's task, 0.7 for a promise in the first person; a due date adds to it.
    """
    participants = Participants(discussion, language)
    found: list[tuple[ActionItemFound, Sentence]] = []
    for sentence in sentences:
        text = " ".join(sentence.text.split())
        # Precision before recall: one doubt anywhere in the sentence refuses all of it.
        if word_count(text) < MIN_WORDS or any(
            refusal.search(text) for refusal in language.not_action_items
        ):
            continue
        item = _surest_item(discussion, sentence, participants, language)
        if item is None:
            continue
        if found and _is_answer(item, sentence, *found[-1], language):
            item = _merged(question=found.pop()[0], answer=item)
        found.append((item, sentence))
    return distinct([item for item, _ in found], language.code)


def _surest_item(
    discussion: Discussion, sentence: Sentence, participants: Participants, language: Language
) -> ActionItemFound | None:
    text = " ".join(sentence.text.split())
    named = participants.with_capital_roles(text)
    tasks = [
        task
        for cue in language.action_items
        if (task := _task_of_cue(cue, named, sentence.speaker, participants, language))
    ]
    if not tasks:
        return None
    due = due_dates.find(
        text, language, discussion.held_on, after=min(task.start for task in tasks)
    )
    tasks = [task for task in tasks if due or not task.needs_due_date]
    if not tasks:
        return None
    task = max(tasks, key=lambda task: task.confidence)
    confidence = task.confidence + (DUE_DATE_CONFIDENCE if due else 0)
    return ActionItemFound(
        text=item_text(text, language),
        confidence=round(min(confidence, MAX_CONFIDENCE), 2),
        quotes=quotes(sentence, discussion.turns),
        owner_name=task.owner,
        due_on=due.on if due else None,
        due_phrase=due.phrase if due else "",
    )


def _task_of_cue(
    cue: Cue, text: str, speaker: str, participants: Participants, language: Language
) -> _Task | None:
    """Return the task of the first match whose owner is plausible; see `Cue.needs`."""
    if QUESTION.search(text) and "request" not in cue.needs:
        return None
    for match in cue.pattern.finditer(text):
        owner = (match.capturesdict().get("owner") or [""])[0]
        if "speaker" in cue.needs or folded(owner) in language.speaker_says:
            return _Task(speaker, cue.confidence, match.start(), "due" in cue.needs)
        # Capitalised words behind the last one that is no name: "By Friday Anna" is Anna.
        words = owner.split()
        no_names = [at for at, word in enumerate(words) if word.lower() in language.not_names]
        name = " ".join(words[no_names[-1] + 1 :]) if no_names else owner
        is_participant = participants.include(name)
        if (owner and not name) or ("participant" in cue.needs and not is_participant):
            continue
        # In free speech most capitalised words before "will" are countries and parties.
        needs_due_date = "due" in cue.needs or ("known" in cue.needs and not is_participant)
        return _Task(name, cue.confidence, match.start(), needs_due_date)
    return None


def _is_answer(
    item: ActionItemFound,
    sentence: Sentence,
    question: ActionItemFound,
    asked: Sentence,
    language: Language,
) -> bool:
    """Whether the person asked takes the task on within two turns, and adds only a day.

    "Can you review the contract, Anna?" "I will review it by Wednesday."
    """
    turns_between = sentence.parts[0].turn - asked.parts[-1].turn
    if turns_between > ANSWERED_WITHIN or not QUESTION.search(question.text):
        return False
    owner, asked_owner = (
        set(folded(name).split()) for name in (item.owner_name, question.owner_name)
    )
    is_same_person = owner & asked_owner and (owner <= asked_owner or asked_owner <= owner)
    if item.owner_name != sentence.speaker or not is_same_person:
        return False
    text = item.text.replace(item.due_phrase, " ") if item.due_phrase else item.text
    new, known = (
        {stem(word, language.stemmer) for word in words}
        for words in content_words([text, question.text], language)
    )
    return new <= known


def _merged(*, question: ActionItemFound, answer: ActionItemFound) -> ActionItemFound:
    """Return one item of two: the question says what is to be done, the answer by when."""
    dated = answer if answer.due_phrase else question
    return ActionItemFound(
        text=f"{question.text} {answer.text}",
        confidence=max(question.confidence, answer.confidence),
        quotes=(*question.quotes, *answer.quotes),
        owner_name=answer.owner_name,
        due_on=dated.due_on,
        due_phrase=dated.due_phrase,
    )
