"""What somebody should know about a file that was made."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Notes:
    """`missing_characters` have no glyph in any font and stand as empty boxes, or are marks beyond
    the thirtieth on one letter.

    `people_not_named` are beyond the first 500 of a list of people.

    `is_accessible` is false for a PDF that does not keep the rules of PDF/UA-1.
    """

    missing_characters: int = 0
    people_not_named: int = 0
    is_accessible: bool = True

    def with_those_of(self, other: Notes) -> Notes:
        """The notes on both files."""
        return Notes(
            self.missing_characters + other.missing_characters,
            max(self.people_not_named, other.people_not_named),
            self.is_accessible and other.is_accessible,
        )

    def as_json(self) -> dict[str, Any]:
        """What is worth saying: nothing of a file that is as it should be."""
        usual = asdict(Notes())
        return {name: value for name, value in asdict(self).items() if value != usual[name]}
