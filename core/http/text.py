"""Characters that PostgreSQL cannot store and that nobody types."""

from __future__ import annotations

import unicodedata
from typing import Any

from core import errors

LONGEST_FILENAME = 255
# Joiners stay: Persian, Hindi and emoji need them.
DIRECTION_MARKS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)

# Too deep for a recursion and too common for a copy: containers are walked with a stack.
Container = dict[Any, Any] | list[Any]


class InvalidCharacter(errors.Invalid):
    """A NUL character or half of a surrogate pair in a text."""

    code = "text.invalid_character"
    message = "Texts cannot hold NUL characters or lone surrogates."


def check_text(*texts: str) -> None:
    """Raise InvalidCharacter when a text cannot be stored as UTF-8 by PostgreSQL."""
    for text in texts:
        if "\x00" in text or not _is_encodable(text):
            raise InvalidCharacter


def check_texts_in(value: Any) -> None:
    """`check_text` for every string in a parsed JSON value, keys included."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            check_text(item)
        elif isinstance(item, dict):
            waiting.extend((*item.keys(), *item.values()))
        elif isinstance(item, list):
            waiting.extend(item)


def is_deeper(value: Any, *, than: int) -> bool:
    """Whether containers are nested more than `than` levels deep; 1 is a flat object."""
    level: list[Container] = [value] if isinstance(value, dict | list) else []
    for _ in range(than):
        level = [inner for outer in level for inner in _containers_in(outer)]
        if not level:
            return False
    return bool(level)


def _containers_in(outer: Container) -> list[Container]:
    values = outer.values() if isinstance(outer, dict) else outer
    return [value for value in values if isinstance(value, dict | list)]


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def clean_filename(name: str) -> str:
    """The last component of a path, without characters that break lines or reorder text."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(letter for letter in last if not _is_deceptive(letter))
    return shown.strip()[:LONGEST_FILENAME]


def _is_deceptive(letter: str) -> bool:
    """Control characters, line and paragraph separators, and what overrides text direction."""
    return unicodedata.category(letter) in ("Cc", "Zl", "Zp") or letter in DIRECTION_MARKS
