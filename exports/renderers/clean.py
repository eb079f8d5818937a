"""The one place that takes out of texts what no format can carry and nobody can read."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import fields, is_dataclass, replace
from functools import cache
from operator import is_not
from typing import Any, TypeVar

T = TypeVar("T")

# Noncharacters of every plane (Unicode, section 23.7): U+FFFE and U+FFFF, U+1FFFE ...
_LAST_OF_PLANES = "".join(f"{chr(plane * 65536 + 0xFFFE)}-{chr(plane * 65536 + 0xFFFF)}" for plane in range(17))  # fmt: skip  # noqa: E501

_UNWANTED = re.compile(
    "["
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f"  # controls, but tab and the ends of lines
    "\ud800-\udfff"  # halves of surrogate pairs
    "\u202a-\u202e\u2066-\u2069"  # overrides and embeddings, by which text passes for other text
    "\ufff9-\ufffb\ufeff\ufdd0-\ufdef"
    "\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd"  # private use: shown by no font
    f"{_LAST_OF_PLANES}]"
)
_LINE_ENDS = re.compile("\r\n?|[\x85\u2028\u2029]")


def clean_text(text: str) -> str:
    """The text without controls, surrogates, noncharacters, private use and bidi overrides."""
    if text.isascii() and text.isprintable():
        return text
    return _LINE_ENDS.sub("\n", _UNWANTED.sub("", text.replace("\t", " ")))


def clean(value: T) -> T:
    """The same value with every text in it cleaned: in dataclasses and tuples, at any depth."""
    found: Any = _cleaned(value)
    return found


def _cleaned(value: Any) -> Any:
    kind = type(value)
    if kind is str:
        return clean_text(value)
    if kind is int or value is None:
        return value
    if kind is tuple:
        cleaned = [_cleaned(each) for each in value]
        return tuple(cleaned) if any(map(is_not, cleaned, value)) else value
    names = _names_of(kind)  # type: ignore[arg-type]  # classes are hashable
    if not names:
        return value
    changes = {}
    for name in names:
        before = getattr(value, name)
        after = _cleaned(before)
        if after is not before:
            changes[name] = after
    return replace(value, **changes) if changes else value


@cache
def _names_of(kind: type) -> tuple[str, ...]:
    """The fields of a dataclass; of anything else none."""
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()


# Letters and signs that fonts draw as nothing: fillers of Hangul, the empty Braille pattern, and
# the joiner of graphemes. All others are of category Cf.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_JOINERS = frozenset("\u200c\u200d")  # without them Persian and emoji are other words


def has_no_width(character: str) -> bool:
    """Whether it is a mark on the letter before, a sign of format, or one that is blank."""
    category = unicodedata.category(character)
    return category[0] == "M" or category == "Cf" or character in _BLANK


def without_invisible(text: str) -> str:
    """The text without characters that nobody sees, but those that join letters."""
    return "".join(
        character
        for character in text
        if character in _JOINERS
        or (unicodedata.category(character) != "Cf" and character not in _BLANK)
    )


def is_visible(text: str) -> bool:
    """Whether anything of the text can be seen."""
    return any(
        unicodedata.category(character)[0] in "LNPS" for character in without_invisible(text)
    )


def one_line(text: str) -> str:
    """The text with every run of white space as one space."""
    return " ".join(text.split())
