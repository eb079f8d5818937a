"""The people of a discussion: participants by name, speakers by name or role."""

from __future__ import annotations

import regex

from meetings.analysis.discussion import Discussion
from meetings.analysis.rules.language import Language

MAX_SPEAKERS = 200  # of one meeting that are looked for by name


class Participants:
    """The speakers and participants of one discussion."""

    def __init__(self, discussion: Discussion, language: Language) -> None:
        speakers = list(dict.fromkeys(turn.speaker for turn in discussion.turns if turn.speaker))
        speakers = speakers[:MAX_SPEAKERS]
        names = dict.fromkeys([*speakers, *discussion.participants])
        self._name_parts = [frozenset(name.casefold().split()) for name in names]
        self._roles: regex.Pattern[str] | None = None
        # SPEAKER_00 is no role, and one letter would match too much.
        roles = [name for name in speakers if len(name) > 2 and not any(map(str.isdigit, name))]
        if roles:
            # Behind an article only, where the language puts one before a role.
            article = "|".join(f"{article} " for article in language.articles)
            self._roles = regex.compile(
                rf"\b({article})({'|'.join(map(regex.escape, roles))})\b", regex.IGNORECASE
            )

    def include(self, name: str) -> bool:
        """Whether a speaker or participant has this name, as a whole or as a part of it."""
        parts = set(name.casefold().split())
        return bool(parts) and any(
            parts <= known or known <= parts for known in self._name_parts if known
        )

    def with_capital_roles(self, text: str) -> str:
        """Return the text with roles that name a speaker in capitals: "the Clerk"."""
        if self._roles is None:
            return text
        return self._roles.sub(lambda match: match[1] + match[2].title(), text)
