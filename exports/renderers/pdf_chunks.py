"""A transcript too long for one compilation, in chunks, and where things stand in their PDFs.

Typst keeps all of a document in memory, so each chunk is compiled by itself. What leads from one
chunk to another (contents, bookmarks, links) is put in when `pdf_join` joins them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from exports.renderers.document import Document, Said

# Typst takes 250 to 500 bytes for a character, and 30 kB for a turn, of whatever length.
LONG_CHARACTERS, CHUNK_CHARACTERS = 1_000_000, 500_000
_TURN_CHARACTERS = 100
# A longer paragraph may be cut to fit: at a space, if there is one.
_PARAGRAPH = re.compile(r"\S.{0,99999}(?!\S)|\S.{0,99999}", re.DOTALL)

Chapters = list[tuple[str, str, list[Said]]]


def is_long(document: Document) -> bool:
    """Whether the transcript is more than one chunk."""
    turns = (said for _, _, turns in document.chapters for said in turns)
    return sum(map(_weight, turns)) > LONG_CHARACTERS


def chunks(chapters: Iterable[tuple[str, str, Sequence[Said]]]) -> Iterator[Chapters]:
    """The chapters in chunks; one that goes on in the next chunk has no title there."""
    chunk: Chapters = []
    left = CHUNK_CHARACTERS
    for title, time, turns in chapters:
        head: tuple[str, str] | None = (title, time)
        for said in (piece for turn in turns for piece in _cut(turn)):
            if _weight(said) > left and chunk:
                yield chunk
                chunk, left = [], CHUNK_CHARACTERS
            if head is not None or not chunk:
                chunk.append((*(head or ("", "")), []))
                head = None
            chunk[-1][2].append(said)
            left -= _weight(said)
    yield chunk


def _weight(said: Said) -> int:
    return _TURN_CHARACTERS + sum(len(words) for _, words in said.pieces)


def _cut(said: Said) -> Iterator[Said]:
    """A turn, or the paragraphs of one that has no room in a chunk; only the first is headed."""
    if _weight(said) <= CHUNK_CHARACTERS:
        yield said
        return
    for time, words in said.pieces:
        for paragraph in _PARAGRAPH.findall(words):
            yield replace(said, pieces=((time, paragraph),))
            said, time = replace(said, first=-1, segments=0, speaker="", time=""), ""  # noqa: PLW2901


@dataclass(slots=True)
class Heading:
    """A heading of the transcript; its page counts from 1, `y` in points from the top."""

    title: str
    time: str
    is_right_to_left: bool
    level: int
    page: int = 0
    y: float = 0.0


class Places:
    """Where headings and turns that links lead to stand in the joined file."""

    def __init__(self, headings: Sequence[Heading]) -> None:
        self.headings = headings
        self.turns: dict[int, tuple[int, float]] = {}
        self.pages = 0
        self._unplaced = iter(headings)

    def add(self, found: dict[str, Any]) -> None:
        """Add those of the next chunk, as templates/exports/meeting.typ finds them."""
        if self.pages:  # headings of the front are not ours
            for place in found["headings"]:
                heading = next(self._unplaced)
                heading.page, heading.y = self.pages + place["page"], place["y"]
        for turn in found["turns"]:
            self.turns[turn["id"]] = (self.pages + turn["page"], turn["y"])
        self.pages += found["pages"]

    def front(self) -> dict[str, Any]:
        """What the layout gets for the front: the contents of the chunks after it."""
        contents = [
            {
                "title": heading.title,
                "time": heading.time,
                "rtl": heading.is_right_to_left,
                "level": heading.level,
                "page": heading.page,
                "to": f"#h{position}",
            }
            for position, heading in enumerate(self.headings)
        ]
        return {"first_page": 1, "opens": False, "contents": contents}

    def of_link(self, address: str) -> tuple[str, int, float]:
        """The title, if any, the page and the height that a link of the front leads to."""
        kind, number = address[1], int(address[2:])
        if kind == "t":
            return "", *self.turns[number]
        heading = self.headings[number]
        return heading.title, heading.page, heading.y
