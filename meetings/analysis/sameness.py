"""Which finds are kept: two wordings of one item count once, and there is an end to any list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from meetings.analysis.findings import ActionItemFound, DecisionFound, Found
from meetings.analysis.language import Language
from meetings.analysis.words import stem, words

ALIKE = 0.6  # of the content words of the shorter
MOST = 200  # items of one section; nobody reads on, and each new one is compared with all of them


class Kept(NamedTuple):
    """The items of a section in order; `more` says that there were others, less sure."""

    items: tuple[Found, ...]
    more: bool = False


def distinct(found: Sequence[ActionItemFound | DecisionFound], language: Language) -> Kept:
    """At most MOST items, none twice: said again when the meeting sums up, the surer one stays.

    The surest are taken first, so the work grows with the number of finds and not its square.
    """
    contents: list[frozenset[str]] = []
    kept: list[int] = []
    more = False
    for at in sorted(range(len(found)), key=lambda each: -found[each].confidence):
        content = _content(found[at].text, language)
        if any(_alike(known, content) for known in contents):
            continue
        if len(kept) == MOST:
            more = True
            break
        contents.append(content)
        kept.append(at)
    return Kept(tuple(found[at] for at in sorted(kept)), more)


def _content(text: str, language: Language) -> frozenset[str]:
    return frozenset(
        stem(word, language.stemmer) for word in words(text) if word not in language.stop_words
    )


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    shorter = min(len(one), len(other))
    return shorter >= 2 and len(one & other) >= ALIKE * shorter
