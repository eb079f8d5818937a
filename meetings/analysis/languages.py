"""The stemmer and the stop words of each language, as `languages.toml` lists them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).parent / "languages.toml"


@dataclass(frozen=True, slots=True)
class LanguageWords:
    """Snowball's name of a language's stemmer, and the words that say little in that language."""

    stemmer: str = ""
    stop_words: frozenset[str] = frozenset()


def language_words(code: str) -> LanguageWords:
    """Return the words of an ISO 639-1 code; empty values for a language without a table."""
    return _all_languages().get(code, LanguageWords())


@cache
def _all_languages() -> dict[str, LanguageWords]:
    tables = tomllib.loads(TABLE.read_text("utf-8"))
    return {
        code: LanguageWords(table["stemmer"], frozenset(table["stop_words"].split()))
        for code, table in tables.items()
    }
