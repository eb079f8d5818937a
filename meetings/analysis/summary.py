"""A summary in the speakers' own sentences: how it opened, and what it kept coming back to.

Half of the words go to the opening, where people say what they are there for, half to sentences
near the centre of all that was said, none too like another one (MMR, Carbonell and Goldstein 1998).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from meetings.analysis.contents import Weights, content_words, likeness, unit, weights
from meetings.analysis.discussion import Discussion
from meetings.analysis.findings import SummaryFound
from meetings.analysis.fluent import bare, fluent
from meetings.analysis.language import Language
from meetings.analysis.phrases import Phrases
from meetings.analysis.sentences import Sentence, quotes
from meetings.analysis.words import length

WORDS = 150
OPENING_SHARE = 0.5
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


def find(
    discussion: Discussion, said: list[Sentence], language: Language, *, words: int = WORDS
) -> SummaryFound | None:
    """At most `words` words, in the order of the meeting. None where no sentence stands alone."""
    texts = [fluent(each.text, language) for each in said]
    line = _discussed(texts, _speakers(discussion), language)
    candidates = _candidates(said, texts, language)
    chosen = _chosen(candidates, words - length(line))
    if not chosen:
        return None
    return SummaryFound(
        text=" ".join(part for part in (line, _told(chosen)) if part),
        quotes=tuple(quote for each in chosen for quote in quotes(each.said, discussion.turns)),
    )


def _speakers(discussion: Discussion) -> list[str]:
    """Everybody who spoke, in the order of their first words."""
    return list(dict.fromkeys(turn.speaker for turn in discussion.turns if turn.speaker))


def _discussed(texts: Sequence[str], speakers: Sequence[str], language: Language) -> str:
    """One line: Anna and Bob discussed a, b and c. If they were many: the group discussed."""
    found = (
        Phrases([texts], language).of(0, DISCUSSED, with_articles=True)
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
