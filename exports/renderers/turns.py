"""What was said, put together for reading: chapters of turns of segments."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from exports.renderers.clean import one_line
from exports.renderers.minutes import Item, Minutes, Section, Topic
from exports.renderers.options import Options
from meetings.text.segments import Segment

Kept = TypeVar("Kept", bound=Item)

# A turn that goes on and on is cut into paragraphs, each with its time.
_FULL_CHARACTERS = 600
_LOOKED_AT = 200  # characters that tell a text's direction


@dataclass(frozen=True, slots=True)
class Turn:
    """Segments of one speaker in a row; `first` is the index of the first of them."""

    first: int
    segments: Sequence[Segment]

    @property
    def speaker(self) -> str:
        return one_line(self.segments[0].speaker)

    @property
    def start_ms(self) -> int | None:
        return self.segments[0].start_ms

    @property
    def text(self) -> str:
        return one_line(" ".join(segment.text for segment in self.segments))


@dataclass(frozen=True, slots=True)
class Chapter:
    """Turns under a topic; none before the first topic, or without any."""

    topic: Topic | None
    turns: tuple[Turn, ...]


def chapters(minutes: Minutes, options: Options) -> list[Chapter]:
    """All that was said, once and in order, by topic."""
    if Section.TRANSCRIPT not in options.sections or not minutes.segments:
        return []
    shown = Section.TOPICS in options.sections
    topics = {topic.segment: topic for topic in minutes.topics} if shown else {}
    starts = sorted({0, *(at for at in topics if 0 <= at < len(minutes.segments))})
    ends = [*starts[1:], len(minutes.segments)]
    return [
        Chapter(topics.get(start), tuple(_turns(minutes, start, end, options)))
        for start, end in zip(starts, ends, strict=True)
    ]


def _turns(minutes: Minutes, start: int, end: int, options: Options) -> Iterator[Turn]:
    segments = minutes.segments
    first, characters = start, 0
    for at in range(start, end):
        if at > first and (
            not options.merge_turns
            or characters >= _FULL_CHARACTERS
            or segments[at].speaker != segments[first].speaker
            # Another recording may be of another hour, and its unnamed speaker another person.
            or at in minutes.part_starts
        ):
            yield Turn(first, segments[first:at])
            first, characters = at, 0
        characters += len(segments[at].text)
    if first < end:
        yield Turn(first, segments[first:end])


def kept(items: Sequence[Kept], options: Options) -> list[Kept]:
    """The items to show: those that rest on the transcript, or all when that was asked for."""
    return [item for item in items if options.include_unverified or item.is_verified]


def is_right_to_left(text: str) -> bool:
    """Whether the first letter that has a direction runs right to left (UAX #9, rule P2)."""
    for character in text[:_LOOKED_AT]:
        direction = unicodedata.bidirectional(character)
        if direction in ("R", "AL"):
            return True
        if direction == "L":
            return False
    return False
