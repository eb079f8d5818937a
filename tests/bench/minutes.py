"""Formal minutes with planted decisions and action items, and how an engine's findings compare.

A file of tests/data/minutes holds a head (language, held_on, set) and one turn a line. What ought
to be found is marked behind its sentence: `[[decision]]`, `[[action: OWNER; DUE]]`. DUE is a day,
`-` where none was said, `?` where a phrase says no day. All that is not marked is a decoy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from meetings.analysis.discussion import Discussion, Turn
from meetings.analysis.engines import ENGINE
from meetings.analysis.findings import ActionItemFound, DecisionFound, Section

FOLDER = Path(__file__).resolve().parents[1] / "data" / "minutes"
MARK = re.compile(r"\s*\[\[(decision|action)(?::\s*([^;\]]*);\s*([^\]]*))?\]\]")
Item = DecisionFound | ActionItemFound


@dataclass(frozen=True, slots=True)
class Planted:
    """An item that ought to be found: it ends at character `end` of turn `turn_id`."""

    section: Section
    turn_id: str
    end: int
    owner: str = ""
    due: str = "-"


@dataclass(frozen=True, slots=True)
class Minutes:
    """One file: the discussion as an engine reads it, and what is planted in it."""

    name: str
    held_out: bool
    discussion: Discussion
    planted: tuple[Planted, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many items were planted, found, rightly found, and with the right owner and due date."""

    planted: int = 0
    found: int = 0
    right: int = 0
    tasks: int = 0
    owners: int = 0
    dues: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, each) + getattr(other, each) for each in self.__slots__))

    @property
    def precision(self) -> float:
        """Of what was found, the part that was planted; 1 where nothing was found."""
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """Of what was planted, the part that was found."""
        return self.right / self.planted if self.planted else 1.0

    @property
    def owner(self) -> float:
        """Of the action items rightly found, the part with the right owner."""
        return self.owners / self.tasks if self.tasks else 1.0

    @property
    def due(self) -> float:
        """Of the action items rightly found, the part with the right due date, or rightly none."""
        return self.dues / self.tasks if self.tasks else 1.0


def everything() -> list[Minutes]:
    """All minutes by name."""
    return [read(file) for file in sorted(FOLDER.glob("*.txt"))]


def read(file: Path) -> Minutes:
    """One file of minutes."""
    head, _, body = file.read_text("utf-8").partition("\n\n")
    said = dict(line.split(": ", 1) for line in head.splitlines())
    turns: list[Turn] = []
    planted: list[Planted] = []
    for number, line in enumerate(body.splitlines()):
        speaker, _, text = line.partition(": ")
        plain, marks = _unmarked(text, str(number))
        turns.append(Turn(str(number), plain, speaker))
        planted.extend(marks)
    discussion = Discussion(tuple(turns), said["language"], date.fromisoformat(said["held_on"]))
    return Minutes(file.stem, said["set"] == "held-out", discussion, tuple(planted))


def _unmarked(text: str, turn_id: str) -> tuple[str, list[Planted]]:
    plain, at, planted = "", 0, []
    for mark in MARK.finditer(text):
        plain += text[at : mark.start()]
        at = mark.end()
        planted.append(_planted(mark, turn_id, len(plain)))
    return plain + text[at:], planted


def _planted(mark: re.Match[str], turn_id: str, end: int) -> Planted:
    if mark[1] == "decision":
        return Planted(Section.DECISIONS, turn_id, end)
    return Planted(Section.ACTION_ITEMS, turn_id, end, mark[2].strip(), mark[3].strip())


def tally(all_minutes: Iterable[Minutes]) -> Tally:
    """The embedded engine's findings against what was planted."""
    total = Tally()
    for minutes in all_minutes:
        for section in (Section.DECISIONS, Section.ACTION_ITEMS):
            total += _tally(minutes, section)
    return total


def _tally(minutes: Minutes, section: Section) -> Tally:
    planted = [each for each in minutes.planted if each.section is section]
    pairs = list(_paired(minutes, section))
    right = [(item, plant) for item, plant in pairs if plant is not None]
    tasks = [(i, plant) for i, plant in right if isinstance(i, ActionItemFound)]
    return Tally(
        planted=len(planted),
        found=len(pairs),
        right=len(right),
        tasks=len(tasks),
        owners=sum(same_person(item.owner_name, plant.owner) for item, plant in tasks),
        dues=sum(same_due(item, plant) for item, plant in tasks),
    )


def _paired(minutes: Minutes, section: Section) -> Iterator[tuple[Item, Planted | None]]:
    """Every item found, beside the planted one it is; each planted one counts once."""
    left = [each for each in minutes.planted if each.section is section]
    for item in ENGINE.find(section, minutes.discussion).items:
        assert isinstance(item, DecisionFound | ActionItemFound)
        plant = next((each for each in left if _holds(item, each, minutes)), None)
        if plant is not None:
            left.remove(plant)
        yield item, plant


def _holds(item: Item, plant: Planted, minutes: Minutes) -> bool:
    for quote in item.quotes:
        if quote.turn_id == plant.turn_id:
            start = minutes.discussion.turns[int(quote.turn_id)].text.find(quote.text)
            if start < plant.end <= start + len(quote.text):
                return True
    return False


def same_person(found: str, planted: str) -> bool:
    """Whether one name is the other, or a part of it in whole words."""
    one, other = set(found.casefold().split()), set(planted.casefold().split())
    return one == other or bool(one and other and (one <= other or other <= one))


def same_due(item: ActionItemFound, planted: Planted) -> bool:
    """The planted day; no day where none was said; a phrase without a day for `?`."""
    if planted.due == "-":
        return item.due_on is None
    if planted.due == "?":
        return item.due_on is None and bool(item.due_phrase)
    return item.due_on == date.fromisoformat(planted.due)


def differences(minutes: Minutes) -> Iterator[str]:
    """Each wrong, missed or misread item, for a person whom a figure surprises."""
    for section in (Section.DECISIONS, Section.ACTION_ITEMS):
        missed = [each for each in minutes.planted if each.section is section]
        for item, plant in _paired(minutes, section):
            if plant is None:
                yield f"{minutes.name}: wrong {section.value}: {item.text}"
                continue
            missed.remove(plant)
            if isinstance(item, ActionItemFound):
                yield from _misread(minutes, item, plant)
        for plant in missed:
            text = minutes.discussion.turns[int(plant.turn_id)].text[: plant.end]
            yield f"{minutes.name}: missed {section.value}: {text[-90:]}"


def _misread(minutes: Minutes, item: ActionItemFound, plant: Planted) -> Iterator[str]:
    if not same_person(item.owner_name, plant.owner):
        yield f"{minutes.name}: owner {item.owner_name!r}, not {plant.owner!r}: {item.text}"
    if not same_due(item, plant):
        yield f"{minutes.name}: due {item.due_on} ({item.due_phrase}), not {plant.due}: {item.text}"
