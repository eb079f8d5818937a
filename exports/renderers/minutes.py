"""What a renderer is given: a meeting as plain values. What a meeting does not have is empty."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date, datetime

from meetings.text.segments import Segment


class Section(enum.StrEnum):
    """The parts of a file, in the order in which they stand there."""

    DETAILS = "details"
    PARTICIPANTS = "participants"
    STAKEHOLDERS = "stakeholders"
    BRIEF = "brief"
    SUMMARY = "summary"
    DECISIONS = "decisions"
    ACTION_ITEMS = "action_items"
    TOPICS = "topics"
    NOTES = "notes"
    TRANSCRIPT = "transcript"


class Part(enum.StrEnum):
    """What somebody was in the meeting."""

    ORGANIZER = "organizer"
    PARTICIPANT = "participant"
    SPEAKER = "speaker"


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody who took part; `talk_ms` is None where the transcript has no times."""

    name: str
    part: Part
    talk_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Stakeholder:
    """Somebody with an interest in what was discussed."""

    name: str
    role: str = ""
    interest: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """Something found: `segment` is the index of the words it rests on.

    `is_confirmed` once a person stood by it; `is_verified` when its quote stands in the transcript
    letter by letter, or a person stood by it.
    """

    text: str
    segment: int | None = None
    quote: str = ""
    is_confirmed: bool = False
    is_verified: bool = True


@dataclass(frozen=True, slots=True)
class Task(Item):
    """Something to do, by whom, and by when: the day, else the words it was said in."""

    owner: str = ""
    due_on: date | None = None
    due_phrase: str = ""
    is_completed: bool = False


@dataclass(frozen=True, slots=True)
class Topic:
    """A chapter that begins with the segment of this index."""

    title: str
    segment: int
    start_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A remark on the text of a meeting: a stable code and a sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Minutes:
    """A meeting at one revision. Times of day are in `time_zone`, aware.

    `notes` say what was left out of the words or done to their source.
    """

    meeting_id: str
    title: str
    revision: int = 1
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    time_zone: str = "UTC"
    duration_ms: int | None = None
    platform: str = ""
    organizer: str = ""
    language: str = ""
    tags: tuple[str, ...] = ()
    participants: tuple[Participant, ...] = ()
    stakeholders: tuple[Stakeholder, ...] = ()
    brief: str = ""
    summary: str = ""
    decisions: tuple[Item, ...] = ()
    action_items: tuple[Task, ...] = ()
    topics: tuple[Topic, ...] = ()
    notes: tuple[Note, ...] = ()
    segments: tuple[Segment, ...] = ()
    # Indexes of the segments that begin another recording or text.
    part_starts: frozenset[int] = frozenset()

    @property
    def has_times(self) -> bool:
        """Whether anything that was said has a time."""
        return any(segment.start_ms is not None for segment in self.segments)
