"""Splits a discussion into sentences that know their exact places in the turns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import regex

from meetings.analysis.discussion import Discussion, Turn
from meetings.analysis.findings import Quote
from meetings.analysis.rules.language import Language

# Looking back keeps a million dots from being read again from each of them.
# An end of sentence, then space; full-width marks need none. A line end also ends a sentence.
_END = regex.compile(r"(?<![.!?…])[.!?…]++[\"'”’)\]]*+(?=\s)|[。！？｡।؟]++|\n++")
_JOINABLE = regex.compile(r"\s*+[\p{Ll}\p{N}]")
_FINISHED = regex.compile(r"[.!?…。！？｡।؟:][\"'”’)\]]*+\s*+$")
MAX_LENGTH = 360  # characters; a longer text without a mark is cut at a space
MAX_JOINED_LENGTH = 480


@dataclass(frozen=True, slots=True)
class Part:
    """Characters `start` to `end` of the text of turn number `turn`."""

    turn: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence as it was said; it has several parts when a pause cut it into several turns."""

    speaker: str
    text: str
    parts: tuple[Part, ...]


def split_sentences(discussion: Discussion, language: Language) -> list[Sentence]:
    """Return all sentences in order, without the spaces between them."""
    sentences: list[Sentence] = []
    for number, turn in enumerate(discussion.turns):
        for part in _parts(number, turn.text, language):
            text = turn.text[part.start : part.end]
            previous = sentences[-1] if sentences else None
            if previous and _continues(previous, turn, number, text):
                joined = f"{previous.text} {text}"
                sentences[-1] = Sentence(previous.speaker, joined, (*previous.parts, part))
            else:
                sentences.append(Sentence(turn.speaker, text, (part,)))
    return sentences


def quotes(sentence: Sentence, turns: tuple[Turn, ...]) -> tuple[Quote, ...]:
    """Return the words of a sentence as they stand in its turns, each checked against its turn."""
    found = []
    for part in sentence.parts:
        turn = turns[part.turn]
        text = turn.text[part.start : part.end]
        found.append(Quote(turn_id=turn.id, text=text, verified=bool(text) and text in turn.text))
    return tuple(found)


def _continues(previous: Sentence, turn: Turn, number: int, text: str) -> bool:
    """Whether a turn goes on with the sentence that the turn before left unfinished."""
    return (
        previous.parts[-1].turn == number - 1
        and previous.speaker == turn.speaker
        and not _FINISHED.search(previous.text[-8:])
        and bool(_JOINABLE.match(text))
        and len(previous.text) + len(text) < MAX_JOINED_LENGTH
    )


def _parts(number: int, text: str, language: Language) -> Iterator[Part]:
    start = 0
    for end in (*_sentence_ends(text, language), len(text)):
        yield from _cut_and_trimmed(number, text, start, end)
        start = end


def _sentence_ends(text: str, language: Language) -> Iterator[int]:
    start = 0
    for mark in _END.finditer(text):
        if mark.group()[0] == "." and _is_no_end(text, start, mark, language):
            continue
        start = mark.end()
        yield start


def _is_no_end(text: str, start: int, mark: regex.Match[str], language: Language) -> bool:
    """Whether a full stop belongs to an abbreviation, a number or an initial."""
    before = text[max(start, mark.start() - 12) : mark.start()].rsplit(maxsplit=1)[-1:]
    word = before[0].lower() if before else ""
    is_short = word in language.abbreviations or (len(word) == 1 and word.isalpha() and word != "i")
    goes_on = len(mark.group()) > 1 and text[mark.end() : mark.end() + 3].lstrip()[:1].islower()
    return is_short or goes_on


def _cut_and_trimmed(number: int, text: str, start: int, end: int) -> Iterator[Part]:
    """Yield one part without its outer spaces, or several where it is too long to be read."""
    while start < end:
        stop = end
        if end - start > MAX_LENGTH:
            middle = start + MAX_LENGTH // 2
            space = max(text.rfind(mark, middle, start + MAX_LENGTH) for mark in ", \t")
            stop = space + 1 if space > start else start + MAX_LENGTH
        first, last, start = start, stop, stop
        while first < last and text[first].isspace():
            first += 1
        while last > first and text[last - 1].isspace():
            last -= 1
        if first < last:
            yield Part(number, first, last)
