"""The sentences of a discussion, each with the exact places in the turns it was taken from."""

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
LONGEST = 360  # characters of a sentence; what runs on without a mark is cut at a space
LONGEST_JOINED = 480


@dataclass(frozen=True, slots=True)
class Part:
    """Characters `start` to `end` of the text of turn number `turn`."""

    turn: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence as it was said. It has several parts when a pause cut it into several turns."""

    speaker: str
    text: str
    parts: tuple[Part, ...]


def sentences(discussion: Discussion, language: Language) -> list[Sentence]:
    """All sentences in order. Nothing said is left out but the spaces between."""
    found: list[Sentence] = []
    for number, turn in enumerate(discussion.turns):
        for part in _parts(number, turn.text, language):
            text = turn.text[part.start : part.end]
            if found and _continues(found[-1], turn, number, text):
                found[-1] = _joined(found[-1], text, part)
            else:
                found.append(Sentence(turn.speaker, text, (part,)))
    return found


def quotes(sentence: Sentence, turns: tuple[Turn, ...]) -> tuple[Quote, ...]:
    """The words of a sentence as they stand in its turns, each checked against its turn."""
    return tuple(_quote(turns[part.turn], part) for part in sentence.parts)


def _quote(turn: Turn, part: Part) -> Quote:
    text = turn.text[part.start : part.end]
    return Quote(turn_id=turn.id, text=text, verified=bool(text) and text in turn.text)


def _continues(previous: Sentence, turn: Turn, number: int, text: str) -> bool:
    """Whether a turn goes on with the sentence that the turn before left unfinished."""
    return (
        previous.parts[-1].turn == number - 1
        and previous.speaker == turn.speaker
        and not _FINISHED.search(previous.text[-8:])
        and bool(_JOINABLE.match(text))
        and len(previous.text) + len(text) < LONGEST_JOINED
    )


def _joined(previous: Sentence, text: str, part: Part) -> Sentence:
    return Sentence(previous.speaker, f"{previous.text} {text}", (*previous.parts, part))


def _parts(number: int, text: str, language: Language) -> Iterator[Part]:
    start = 0
    for end in (*_ends(text, language), len(text)):
        yield from _cut(number, text, start, end)
        start = end


def _ends(text: str, language: Language) -> Iterator[int]:
    start = 0
    for mark in _END.finditer(text):
        if mark.group()[0] == "." and _goes_on(text, start, mark, language):
            continue
        start = mark.end()
        yield start


def _goes_on(text: str, start: int, mark: regex.Match[str], language: Language) -> bool:
    """Whether a full stop belongs to an abbreviation, a number or an initial."""
    before = text[max(start, mark.start() - 12) : mark.start()].rsplit(maxsplit=1)[-1:]
    word = before[0].lower() if before else ""
    short = word in language.abbreviations or (len(word) == 1 and word.isalpha() and word != "i")
    unfinished = len(mark.group()) > 1 and text[mark.end() : mark.end() + 3].lstrip()[:1].islower()
    return short or unfinished


def _cut(number: int, text: str, start: int, end: int) -> Iterator[Part]:
    """One part without its outer spaces, or several where nobody could read it in one breath."""
    while end - start > LONGEST:
        space = max(text.rfind(mark, start + LONGEST // 2, start + LONGEST) for mark in ", \t")
        middle = space + 1 if space > start else start + LONGEST
        yield from _trimmed(number, text, start, middle)
        start = middle
    yield from _trimmed(number, text, start, end)


def _trimmed(number: int, text: str, start: int, end: int) -> Iterator[Part]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield Part(number, start, end)
