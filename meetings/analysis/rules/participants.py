"""Who takes part: names given with the meeting, and names and roles under which people spoke."""

from __future__ import annotations

from collections.abc import Iterable

import regex

from meetings.analysis.discussion import Discussion
from meetings.analysis.rules.language import Language

MOST = 200  # speakers of one meeting that are looked for by name


class Participants:
    """The speakers and participants of one discussion."""

    def __init__(self, discussion: Discussion, language: Language) -> None:
        speakers = dict.fromkeys(turn.speaker for turn in discussion.turns if turn.speaker)
        names = dict.fromkeys([*list(speakers)[:MOST], *discussion.participants])
        self._words = [frozenset(_name_words(name)) for name in names]
        self._roles = _roles(list(speakers)[:MOST], language)

    def include(self, name: str) -> bool:
        """Whether a speaker or participant is called so, by a whole name or a part of it."""
        called = set(_name_words(name))
        return bool(called) and any(
            called <= each or each <= called for each in self._words if each
        )

    def named(self, text: str) -> str:
        """The text with every role in capitals where it stands for its speaker: "the Clerk"."""
        if self._roles is None:
            return text
        return self._roles.sub(lambda found: found[1] + found[2].title(), text)


def _name_words(name: str) -> Iterable[str]:
    return name.casefold().split()


def _roles(speakers: list[str], language: Language) -> regex.Pattern[str] | None:
    """Single roles such as Clerk, behind an article where the language has one before a role."""
    names = [each for each in speakers if len(each) > 2 and not any(c.isdigit() for c in each)]
    if not names:
        return None
    article = "|".join(f"{each} " for each in language.articles)
    return regex.compile(
        rf"\b({article})({'|'.join(regex.escape(each) for each in names)})\b", regex.IGNORECASE
    )
