"""Builds a summary: decisions and action items, the opening, and the most central sentences.

All of it in the speakers' own sentences. First come the items found, the surest where not all
have room. Half of the other words go to the opening, where people say what they are there for,
half to sentences near the centre of all that was said, none too like another one (MMR, Carbonell
and Goldstein 1998).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from meetings.analysis.deduplication import DistinctItems
from meetings.analysis.discussion import Discussion
from meetings.analysis.findings import ActionItemFound, DecisionFound, Quote, SummaryFound
from meetings.analysis.rules import action_items, decisions
from meetings.analysis.rules.disfluencies import normalized, remove_disfluencies
from meetings.analysis.rules.language import Language
from meetings.analysis.rules.phrases import Phrases
from meetings.analysis.rules.sentences import Sentence, quotes
from meetings.analysis.rules.tfidf import (
    Vector,
    content_words,
    cosine,
    tfidf_vectors,
    unit_vector,
)
from meetings.analysis.words import word_count

MAX_WORDS = 150
MIN_CONFIDENCE = 0.75  # of an item that a summary begins with
MIN_ITEM_CONTENT = 2  # content words: "I'll do that" does not name a task
ITEMS_SHARE = 0.5  # of the words, at most, for decisions and action items
OPENING_SHARE = 0.5  # of the rest
MIN_SENTENCE, MAX_SENTENCE = 8, 60  # words of a sentence that stands by itself
MIN_SENTENCE_CONTENT = 3  # content words
REDUNDANCY_COST = 0.3
TOPIC_PHRASES = 6  # in the line of topics
NAMED_SPEAKERS = 5  # at most, in the line of topics
MAX_NAME_WORDS = 12  # of all their names together


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A sentence that may stand in the summary; `cost` is its words with the speaker's name."""

    number: int
    sentence: Sentence
    text: str
    cost: int
    vector: Vector


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The decisions and action items of a summary as text, and their quotes."""

    text: str = ""
    quotes: tuple[Quote, ...] = ()


def find(discussion: Discussion, sentences: list[Sentence], language: Language) -> DistinctItems:
    """Return a summary of at most MAX_WORDS words, each part in the order of the meeting.

    None where no item was found and no sentence stands by itself.
    """
    texts = [remove_disfluencies(sentence.text, language) for sentence in sentences]
    speakers = list(dict.fromkeys(turn.speaker for turn in discussion.turns if turn.speaker))
    topics = _topics_line(texts, speakers, language)
    room = MAX_WORDS - word_count(topics)
    outcome = _outcome(discussion, sentences, language, int(room * ITEMS_SHARE))
    candidates = [
        candidate
        for candidate in _candidates(sentences, texts, language)
        # What stands among the items is not said twice.
        if not set(quotes(candidate.sentence, discussion.turns)) <= set(outcome.quotes)
    ]
    chosen = _chosen(candidates, room - word_count(outcome.text))
    if not chosen and not outcome.text:
        return DistinctItems(())
    all_quotes = [
        *outcome.quotes,
        *(quote for each in chosen for quote in quotes(each.sentence, discussion.turns)),
    ]
    # Each quote once, as they were said.
    turns = {turn.id: (number, turn.text) for number, turn in enumerate(discussion.turns)}
    places = {
        quote: (turns[quote.turn_id][0], turns[quote.turn_id][1].find(quote.text))
        for quote in all_quotes
    }
    text = " ".join(part for part in (topics, outcome.text, _with_speakers(chosen)) if part)
    return DistinctItems((SummaryFound(text, tuple(sorted(places, key=places.__getitem__))),))


def _topics_line(texts: Sequence[str], speakers: Sequence[str], language: Language) -> str:
    """Return "Anna and Bob discussed a, b and c."; "The group" where the speakers are many."""
    if not language.discussed:
        return ""
    phrases = Phrases([texts], language, speakers).top(0, TOPIC_PHRASES, with_articles=True)
    if len(phrases) < 2:
        return ""
    topics = _enumerated(phrases, language)
    if 2 <= len(speakers) <= NAMED_SPEAKERS and word_count(" ".join(speakers)) <= MAX_NAME_WORDS:
        return language.discussed_by.format(who=_enumerated(speakers, language), topics=topics)
    return language.discussed.format(topics=topics)


def _enumerated(names: Sequence[str], language: Language) -> str:
    return f"{', '.join(names[:-1])} {language.conjunction} {names[-1]}"


def _outcome(
    discussion: Discussion, sentences: list[Sentence], language: Language, room: int
) -> _Outcome:
    """Return decisions, then tasks: the surest that fit into `room`, in the meeting's order."""
    items = _sure_items(discussion, sentences, language)
    room -= word_count(language.decided) + word_count(language.to_do)
    kept = set[int]()
    for number in sorted(range(len(items)), key=lambda number: -items[number].confidence):
        cost = word_count(_with_owner(items[number]))
        if cost <= room:
            kept.add(number)
            room -= cost
    chosen = [item for number, item in enumerate(items) if number in kept]
    lines = []
    for label, kind in ((language.decided, DecisionFound), (language.to_do, ActionItemFound)):
        if texts := [_with_owner(item) for item in chosen if isinstance(item, kind)]:
            lines.append(label.format(items=" ".join(texts)))
    return _Outcome(
        text=" ".join(line for line in lines if line),
        quotes=tuple(quote for item in chosen for quote in item.quotes),
    )


def _sure_items(
    discussion: Discussion, sentences: list[Sentence], language: Language
) -> list[DecisionFound | ActionItemFound]:
    """Return the items that are sure enough and have enough content words for a summary."""
    found = (
        *decisions.find(discussion, sentences, language).items,
        *action_items.find(discussion, sentences, language).items,
    )
    items = [item for item in found if isinstance(item, DecisionFound | ActionItemFound)]
    contents = content_words([item.text for item in items], language)
    return [
        item
        for item, content in zip(items, contents, strict=True)
        if item.confidence >= MIN_CONFIDENCE and len(set(content)) >= MIN_ITEM_CONTENT
    ]


def _with_owner(item: DecisionFound | ActionItemFound) -> str:
    """Return an item's text, behind its owner's name where the text does not hold it."""
    owner = item.owner_name if isinstance(item, ActionItemFound) else ""
    is_named = owner.casefold() in item.text.casefold()
    return item.text if is_named else f"{owner}: {item.text}"


def _candidates(
    sentences: Sequence[Sentence], texts: Sequence[str], language: Language
) -> list[_Candidate]:
    contents = content_words(texts, language)
    vectors = tfidf_vectors(contents, language)
    return [
        _Candidate(number, sentence, text, word_count(text) + word_count(sentence.speaker), vector)
        for number, (sentence, text, content, vector) in enumerate(
            zip(sentences, texts, contents, vectors, strict=True)
        )
        if len(set(content)) >= MIN_SENTENCE_CONTENT and _stands_by_itself(text, language)
    ]


def _stands_by_itself(text: str, language: Language) -> bool:
    words = [normalized(word) for word in text.split()]
    return (
        MIN_SENTENCE <= word_count(text) <= MAX_SENTENCE
        and text[-1] not in "?？؟"
        and words[0] not in language.dangling
        and words[-1] not in language.unfinished
        and not language.courtesies & set(words)
        # "Last year we decided to close the shop" would read as if it had been decided now.
        and not decisions.is_past_decision(text, language)
    )


def _chosen(candidates: list[_Candidate], room: int) -> list[_Candidate]:
    """Return the sentences of the summary in order: half of the room is for the opening."""
    chosen: list[_Candidate] = []
    opening_room = room * OPENING_SHARE
    for candidate in candidates:
        if candidate.cost <= opening_room:
            chosen.append(candidate)
            opening_room -= candidate.cost
        if opening_room < MIN_SENTENCE:
            break
    room -= sum(candidate.cost for candidate in chosen)
    chosen += _central(candidates, chosen, room)
    return sorted(chosen, key=lambda candidate: candidate.number)


def _central(
    candidates: list[_Candidate], opening: list[_Candidate], room: int
) -> list[_Candidate]:
    """Return the sentences nearest to the centre of all, each unlike those chosen before (MMR)."""
    centre: Vector = {}
    for candidate in candidates:
        for term, value in candidate.vector.items():
            centre[term] = centre.get(term, 0.0) + value
    centre = unit_vector(centre)
    relevance = [cosine(candidate.vector, centre) for candidate in candidates]
    redundancy = [0.0] * len(candidates)
    taken = {candidate.number for candidate in opening}
    newest = list(opening)
    chosen: list[_Candidate] = []
    while True:
        for last in newest:
            redundancy = [
                max(value, cosine(candidate.vector, last.vector))
                for value, candidate in zip(redundancy, candidates, strict=True)
            ]
        fitting = [
            at
            for at, candidate in enumerate(candidates)
            if candidate.cost <= room and candidate.number not in taken
        ]
        if not fitting:
            return chosen
        best = max(fitting, key=lambda at: (relevance[at] - REDUNDANCY_COST * redundancy[at], -at))
        newest = [candidates[best]]
        chosen += newest
        taken.add(candidates[best].number)
        room -= candidates[best].cost


def _with_speakers(chosen: Sequence[_Candidate]) -> str:
    """Return the sentences, each behind its speaker's name where the speaker changes."""
    texts: list[str] = []
    previous = ""
    for candidate in chosen:
        speaker = candidate.sentence.speaker
        is_named = speaker and speaker != previous
        texts.append(f"{speaker}: {candidate.text}" if is_named else candidate.text)
        previous = speaker
    return " ".join(texts)
