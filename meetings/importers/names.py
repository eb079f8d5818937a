"""Recognises the speaker before a colon by the form of names."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_LONGEST = 60
_MOST_WORDS = 5
_LONGEST_UNCASED = 12

# "Anna Berg: Good morning.", "[SPEAKER_00]: Good morning.", and full width: no space follows it.
_LABEL = re.compile(
    r"\s*(?:(?:>>+|[-\u2013\u2014])\s*)?"
    r"(?:\[(?P<bracketed>[^\]:\n]{1,60})\]|(?P<plain>[^\W\d_][^:\uff1a\n]{0,58}?))"
    r"\s{0,3}(?::(?:\s+|$)|\uff1a)(?P<text>.*)",
    re.DOTALL,
)
_WORD = re.compile(r"[\w.'\u2019&@-]+")
_SUFFIX = re.compile(r"\s*(?:\([^()]*\)|\[[^\[\]]*\])\s*$")  # (Guest), [External]
_TABLE = tomllib.loads((Path(__file__).parent / "names.toml").read_text("utf-8"))
_PARTICLES = frozenset(_TABLE["particles"].split())
_NOT_NAMES = frozenset(" ".join(_TABLE["not_names"].values()).split())


def looks_like_name(text: str) -> bool:
    """Whether a text is written as the name of a person or of a numbered speaker."""
    bare = _SUFFIX.sub("", text.strip())
    words = [word for part in re.split(r"[\s,/|]+", bare) if (word := part.strip("\"'"))]
    if not bare or len(bare) > _LONGEST or not 1 <= len(words) <= _MOST_WORDS:
        return False
    if any(not _WORD.fullmatch(word) for word in words):
        return False
    if any(word.strip(".").casefold() in _NOT_NAMES for word in words):
        return False
    has_capital = any(word[0].isupper() for word in words)
    # "Speaker 2" and "Anna de Vries" are names; any other word in lower case makes a phrase.
    fits = all(w[0].isupper() or w[0].isdigit() or w.casefold() in _PARTICLES for w in words)
    return has_capital and words[0][0].isalpha() and fits


def _is_uncased(label: str) -> bool:
    """Whether a label is one short word of a script without capitals, such as Chinese."""
    is_short = 0 < len(label) <= _LONGEST_UNCASED and not label.isascii()
    return is_short and label.isalpha() and label == label.lower() == label.upper()


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of one file that name its speakers."""

    names: frozenset[str]

    @classmethod
    def of(cls, lines: Iterable[str]) -> Labels:
        """Read the labels off all lines, or cues, of a file that are not empty.

        One label amid many lines may be a heading. So they count where the first line has one, or
        one comes twice, or half of the lines have one.
        """
        labels = [_label_in(_LABEL.fullmatch(line)) for line in lines]
        found = Counter(label for label in labels if looks_like_name(label))
        is_labelled = (
            any(count > 1 for count in found.values())
            or found.total() * 2 >= len(labels)
            or (labels and labels[0] in found)
        )
        # Nothing but repetition tells a name from a phrase where there are no capitals.
        uncased = Counter(label for label in labels if _is_uncased(label))
        are_most = uncased.total() * 2 >= len(labels)
        repeated = {label for label, count in uncased.items() if are_most or count > 1}
        return cls(frozenset(found if is_labelled else ()) | repeated)

    def split(self, line: str) -> tuple[str, str]:
        """The speaker that a line names, empty for none, and the words after that."""
        match = _LABEL.fullmatch(line)
        label = _label_in(match)
        return (label, match["text"].strip()) if match and label in self.names else ("", line)


def _label_in(match: re.Match[str] | None) -> str:
    return (match["bracketed"] or match["plain"]).strip() if match else ""
