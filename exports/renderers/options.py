"""What somebody who wants a file may choose."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self
from uuid import UUID

from exports.renderers.minutes import Section


class Timestamps(enum.StrEnum):
    """Where times of what was said are shown."""

    NONE = "none"
    TURN = "turn"
    SEGMENT = "segment"


class PageSize(enum.StrEnum):
    """The paper of PDF and Word files."""

    A4 = "a4"
    LETTER = "letter"


class Table(enum.StrEnum):
    """What the rows of a CSV file are."""

    SEGMENTS = "segments"
    DECISIONS = "decisions"
    ACTION_ITEMS = "action_items"


# Captions as subtitlers agree on them: seconds, characters of a row, rows.
SHORTEST, LONGEST, ROW, ROWS = 0.833, 7.0, 42, 2


@dataclass(frozen=True, slots=True)
class Options:
    """Every choice with what is done without one. `language` is that of the labels.

    `recording` is the id of the only recording that the file is about, None for the whole meeting.
    `guard_formulas` puts an apostrophe before what a spreadsheet would run. `formats` are those of
    a bundle. Durations are in seconds; a Chinese or Japanese character counts as two in a row.
    """

    sections: tuple[Section, ...] = tuple(Section)
    speakers: bool = True
    timestamps: Timestamps = Timestamps.TURN
    merge_turns: bool = True
    language: str = "en"
    recording: str | None = None
    page_size: PageSize = PageSize.A4
    include_unverified: bool = False
    guard_formulas: bool = True
    table: Table = Table.SEGMENTS
    formats: tuple[str, ...] = ("pdf", "docx", "json")
    minimum_duration: float = SHORTEST
    maximum_duration: float = LONGEST
    maximum_characters_per_row: int = ROW
    maximum_rows_per_caption: int = ROWS

    def as_json(self) -> dict[str, Any]:
        """Every choice as plain values, the same ones for the same options."""
        values = asdict(self)
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
        }

    @property
    def recording_id(self) -> UUID | None:
        return UUID(self.recording) if self.recording else None

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The options of `as_json`; names of another version are left out."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: _typed(name, values[name]) for name in values if name in known})


_TYPES: dict[str, Any] = {
    "sections": lambda names: tuple(section for section in Section if section in names),
    "timestamps": Timestamps,
    "page_size": PageSize,
    "table": Table,
    "formats": tuple,
}


def _typed(name: str, value: Any) -> Any:
    return _TYPES[name](value) if name in _TYPES else value
