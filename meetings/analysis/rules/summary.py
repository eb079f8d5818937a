"""A summary: what was decided and is to be done, how it opened, what it kept coming back to.

All of it in the speakers' own sentences. First come the items found, the surest where not all
have room. Half of the other words go to the opening, where people say what they are there for,
half to sentences near the centre of all that was said, none too like another one (MMR, Carbonell
and Goldstein 1998).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from meetings.analysis.discussion import Discussion
from meetings.analysis.findings import ActionItemFound, DecisionFound, Quote, SummaryFound
from meetings.analysis.rules import action_items, decisions
from meetings.analysis.rules.disfluencies import bare, fluent
from meetings.analysis.rules.language import Language
from meetings.analysis.rules.phrases import Phrases
from meetings.analysis.rules.sentences import Sentence, quotes
from meetings.analysis.rules.tfidf import Weights, content_words, likeness, unit, weights
from meetings.analysis.words import length

WORDS = 150
SURE_ENOUGH = 0.75  # confidence of an item that a summary begins with
LEAST_IN_ITEM = 2  # content words: "I'll do that" tells nobody what
ITEMS_SHARE = 0.5  # of the words, at most, for what was decided and what is to be done
OPENING_SHARE = 0.5  # of the rest
SHORTEST, LONGEST = 8, 60  # words of a sentence that can stand for itself
LEAST_CONTENT = 3  # content words in it
SAMENESS_COSTS = 0.3
DISCUSSED = 6  # phrases in the line of what was discussed
FEW = 5  # speakers who can all be named in it,
LONGEST_NAMES = 12  # if their names are no longer than so many words


@dataclass(frozen=True, slots=True)
class _Candidate:
    number: int
    said: Sentence
    text: str
    words: int
    weights: Weights


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What was decided and who does what, in words, and the quotes it rests on."""

    text: str = ""
    quotes: tuple[Quote, ...] = ()


def find(
    discussion: Discussion, said: list[Sentence], language: Language, *, words: int = WORDS
) -> SummaryFound | None:
    """At most `words` words; the sentences of each part are in the order of the meeting.

    None where nothing was decided or given to do and no sentence stands alone.
    """
    texts = [fluent(each.text, language) for each in said]
    line = _discussed(texts, _speakers(discussion), language)
    outcome = _outcome(discussion, said, language, int((words - length(line)) * ITEMS_SHARE))
    candidates = _candidates(said, texts, language)
    told = [each for each in candidates if not _is_told(each, discussion, outcome)]
    chosen = _chosen(told, words - length(line) - length(outcome.text))
    if not chosen and not outcome.text:
        return None
    rest = tuple(quote for each in chosen for quote in quotes(each.said, discussion.turns))
    return SummaryFound(
        text=" ".join(part for part in (line, outcome.text, _told(chosen)) if part),
        quotes=_in_order((*outcome.quotes, *rest), discussion),
    )


def _in_order(found: Sequence[Quote], discussion: Discussion) -> tuple[Quote, ...]:
    """Each quote once, as they were said."""
    at = {turn.id: number for number, turn in enumerate(discussion.turns)}
    texts = {turn.id: turn.text for turn in discussion.turns}
    return tuple(
        sorted(
            dict.fromkeys(found),
            key=lambda quote: (at[quote.turn_id], texts[quote.turn_id].find(quote.text)),
        )
    )


def _is_told(candidate: _Candidate, discussion: Discussion, outcome: _Outcome) -> bool:
    return set(quotes(candidate.said, discussion.turns)) <= set(outcome.quotes)


def _outcome(
    discussion: Discussion, said: list[Sentence], language: Language, room: int
) -> _Outcome:
    """Decisions, then tasks: the surest that fit into `room` words, in the meeting's order."""
    items = _items(discussion, said, language)
    room -= length(language.decided) + length(language.to_do)
    kept = set[int]()
    for at in sorted(range(len(items)), key=lambda each: -items[each].confidence):
        cost = length(_item_told(items[at]))
        if cost <= room:
            kept.add(at)
            room -= cost
    chosen = [each for at, each in enumerate(items) if at in kept]
    parts = (
        _labelled(language.decided, [each for each in chosen if isinstance(each, DecisionFound)]),
        _labelled(language.to_do, [each for each in chosen if isinstance(each, ActionItemFound)]),
    )
    return _Outcome(
        text=" ".join(part for part in parts if part),
        quotes=tuple(quote for each in chosen for quote in each.quotes),
    )


def _items(
    discussion: Discussion, said: list[Sentence], language: Language
) -> list[DecisionFound | ActionItemFound]:
    """What can stand at the head of a summary: sure enough, and with something in it."""
    found = (
        *decisions.find(discussion, said, language).items,
        *action_items.find(discussion, said, language).items,
    )
    items = [each for each in found if isinstance(each, DecisionFound | ActionItemFound)]
    contents = content_words([each.text for each in items], language)
    return [
        each
        for each, content in zip(items, contents, strict=True)
        if each.confidence >= SURE_ENOUGH and len(set(content)) >= LEAST_IN_ITEM
    ]


def _labelled(label: str, items: Sequence[DecisionFound | ActionItemFound]) -> str:
    return label.format(items=" ".join(map(_item_told, items))) if items else ""


def _item_told(item: DecisionFound | ActionItemFound) -> str:
    """An item's words, behind the name of who has to do it where they do not say it."""
    owner = item.owner_name if isinstance(item, ActionItemFound) else ""
    named = owner.casefold() in item.text.casefold()
    return item.text if named else f"{owner}: {item.text}"


def _speakers(discussion: Discussion) -> list[str]:
    """Everybody who spoke, in the order of their first words."""
    return list(dict.fromkeys(turn.speaker for turn in discussion.turns if turn.speaker))


def _discussed(texts: Sequence[str], speakers: Sequence[str], language: Language) -> str:
    """One line: Anna and Bob discussed a, b and c. If they were many: the group discussed."""
    found = (
        Phrases([texts], language, speakers).of(0, DISCUSSED, with_articles=True)
        if language.discussed
        else []
    )
    if len(found) < 2:
        return ""
    topics = _listed(found, language)
    if 2 <= len(speakers) <= FEW and length(" ".join(speakers)) <= LONGEST_NAMES:
        return language.discussed_by.format(who=_listed(speakers, language), topics=topics)
    return language.discussed.format(topics=topics)


def _listed(names: Sequence[str], language: Language) -> str:
    return f"{', '.join(names[:-1])} {language.conjunction} {names[-1]}"


def _candidates(
    said: Sequence[Sentence], texts: Sequence[str], language: Language
) -> list[_Candidate]:
    contents = content_words(texts, language)
    return [
        _Candidate(number, each, text, length(text), vector)
        for number, (each, text, content, vector) in enumerate(
            zip(said, texts, contents, weights(contents, language), strict=True)
        )
        if len(set(content)) >= LEAST_CONTENT and _stands_alone(text, language)
    ]


def _stands_alone(text: str, language: Language) -> bool:
    ends = text.split()
    first, last = (bare(ends[0]), bare(ends[-1])) if ends else ("", "")
    return (
        SHORTEST <= length(text) <= LONGEST
        and text[-1] not in "?？؟"
        and first not in language.dangling
        and last not in language.unfinished
        and not language.courtesies & {bare(word) for word in ends}
        # "Last year we decided to close the shop" would read as if it had been decided now.
        and not decisions.is_of_the_past(text, language)
    )


def _chosen(candidates: list[_Candidate], room: int) -> list[_Candidate]:
    chosen: list[_Candidate] = []
    opening = room * OPENING_SHARE
    for each in candidates:
        if _cost(each) <= opening:
            chosen.append(each)
            opening -= _cost(each)
        if opening < SHORTEST:
            break
    _add_central(candidates, chosen, room - sum(map(_cost, chosen)))
    return sorted(chosen, key=lambda each: each.number)


def _add_central(candidates: list[_Candidate], chosen: list[_Candidate], room: int) -> None:
    centre = _centre(candidates)
    scores = [likeness(each.weights, centre) for each in candidates]
    alike = [0.0] * len(candidates)
    newest = list(chosen)
    while True:
        for last in newest:
            alike = [
                max(a, likeness(each.weights, last.weights))
                for a, each in zip(alike, candidates, strict=True)
            ]
        taken = {each.number for each in chosen}
        open_ = [
            n
            for n, each in enumerate(candidates)
            if _cost(each) <= room and each.number not in taken
        ]
        if not open_:
            return
        best = max(open_, key=lambda n: (scores[n] - SAMENESS_COSTS * alike[n], -n))
        newest = [candidates[best]]
        chosen.append(candidates[best])
        room -= _cost(candidates[best])


def _centre(candidates: Sequence[_Candidate]) -> Weights:
    total: Weights = {}
    for each in candidates:
        for name, value in each.weights.items():
            total[name] = total.get(name, 0.0) + value
    return unit(total)


def _cost(candidate: _Candidate) -> int:
    """The words of a sentence, with its speaker's name before it."""
    return candidate.words + length(candidate.said.speaker)


def _told(chosen: Sequence[_Candidate]) -> str:
    """The sentences with their speakers; a name is not repeated while its owner goes on."""
    told: list[str] = []
    speaker = ""
    for each in chosen:
        named = each.said.speaker and each.said.speaker != speaker
        told.append(f"{each.said.speaker}: {each.text}" if named else each.text)
        speaker = each.said.speaker
    return " ".join(told)
