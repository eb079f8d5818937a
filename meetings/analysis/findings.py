"""What an analysis finds, section by section, each item with the words it rests on."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date


class Section(enum.StrEnum):
    """The parts of an analysis. Each is found, fails and is repeated on its own."""

    SUMMARY = "summary"
    TOPICS = "topics"
    DECISIONS = "decisions"
    ACTION_ITEMS = "action_items"


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of one turn. `verified` says that they stand in that turn, letter by letter."""

    turn_id: str
    text: str
    verified: bool


@dataclass(frozen=True, slots=True)
class SummaryFound:
    """A summary in sentences, and the turns they were taken from, in the order of the meeting."""

    text: str
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class TopicFound:
    """A chapter: consecutive turns from the first to the last, both included, under one title."""

    title: str
    first_turn_id: str
    last_turn_id: str
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class DecisionFound:
    """Something that was perhaps decided; `confidence` is 0 to 1."""

    text: str
    confidence: float
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class ActionItemFound:
    """Something that somebody perhaps has to do.

    `owner_name` is as said, empty when nobody was named. `due_phrase` holds the words of the due
    date, and `due_on` the day they mean, None when they do not say which.
    """

    text: str
    confidence: float
    quotes: tuple[Quote, ...]
    owner_name: str = ""
    due_on: date | None = None
    due_phrase: str = ""


Found = SummaryFound | TopicFound | DecisionFound | ActionItemFound


class Note(enum.StrEnum):
    """What an engine could not do, or only in part; the values never change."""

    NOTHING_SAID = "nothing_said"
    TOO_LITTLE_SAID = "too_little_said"
    NO_CUES_FOR_LANGUAGE = "no_cues_for_language"
    LANGUAGE_UNKNOWN = "language_unknown"
    MORE_THAN_SHOWN = "more_than_shown"


SENTENCES: dict[Note, str] = {
    Note.NOTHING_SAID: "The transcript holds no words.",
    Note.TOO_LITTLE_SAID: "Too little was said to find anything in it.",
    Note.NO_CUES_FOR_LANGUAGE: "Decisions and action items cannot be found in this language yet.",
    Note.LANGUAGE_UNKNOWN: "The language is not known; it was read as English.",
    Note.MORE_THAN_SHOWN: "More was found than is kept; these are the surest.",
}


@dataclass(frozen=True, slots=True)
class SectionFindings:
    """One outcome: what was found, from how many of all turns, and what is missing."""

    section: Section
    items: tuple[Found, ...]
    turns_used: int
    turns_total: int
    notes: tuple[Note, ...] = ()
