"""The cue tables of `cues/`: fillers, decisions, action items and due dates of each language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import regex

from meetings.analysis.languages import language_words

TABLES = Path(__file__).parent / "cues"
# A pattern may use {NAME} beside the patterns that its table defines under [named].
NAME = r"(?-i:(?P<owner>\p{Lu}[\p{L}'’\-]++(?: \p{Lu}[\p{L}'’\-]++){0,2}))"
_REFERENCE = regex.compile(r"\{([A-Z_]{2,})\}")


@dataclass(frozen=True, slots=True)
class Cue:
    """A wording of decisions or action items, and how far it can be trusted (0 to 1).

    `needs` lists further conditions of weak wordings. "participant": the owner takes part in the
    meeting; "due": the sentence holds a due date; "known": one of the two. Two more change how a
    cue is read. "speaker": the owner is the speaker; "request": the sentence may be a question.
    """

    pattern: regex.Pattern[str]
    confidence: float
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Language:
    """One cue table; languages without a table get an empty one."""

    code: str = ""
    stemmer: str = ""
    stop_words: frozenset[str] = frozenset()
    fillers: tuple[tuple[str, ...], ...] = ()
    openers: frozenset[str] = frozenset()
    dangling: frozenset[str] = frozenset()
    abbreviations: frozenset[str] = frozenset()
    unfinished: frozenset[str] = frozenset()
    courtesies: frozenset[str] = frozenset()
    letters: frozenset[str] = frozenset()
    discussed: str = ""
    discussed_by: str = ""
    conjunction: str = ""
    articles: tuple[str, ...] = ()
    determiners: frozenset[str] = frozenset()
    auxiliaries: frozenset[str] = frozenset()
    clause_openers: frozenset[str] = frozenset()
    capital_nouns: bool = False
    not_topics: frozenset[str] = frozenset()
    not_names: frozenset[str] = frozenset()
    speaker_says: frozenset[str] = frozenset()
    labels: regex.Pattern[str] | None = None
    decided: str = ""
    to_do: str = ""
    deciding: regex.Pattern[str] | None = None
    past: regex.Pattern[str] | None = None
    decisions: tuple[Cue, ...] = ()
    not_decisions: tuple[regex.Pattern[str], ...] = ()
    action_items: tuple[Cue, ...] = ()
    not_action_items: tuple[regex.Pattern[str], ...] = ()
    due: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_toml(cls, code: str, document: Mapping[str, Any]) -> Self:
        """Return the table of a language, with its stop words and its patterns compiled."""
        named = {"NAME": NAME, **document["named"]}
        decisions, actions, due = document["decisions"], document["action_items"], document["due"]
        words = language_words(code)
        return cls(
            code=code,
            stemmer=words.stemmer,
            stop_words=words.stop_words,
            fillers=tuple(
                sorted(
                    (tuple(filler.split()) for filler in document["fillers"]), key=len, reverse=True
                )
            ),
            openers=frozenset(document["openers"]),
            dangling=frozenset(document["dangling"]),
            abbreviations=frozenset(document["abbreviations"]),
            unfinished=frozenset(document["unfinished"].split()),
            courtesies=frozenset(document["courtesies"]),
            letters=frozenset(document["letters"]),
            discussed=document["discussed"],
            discussed_by=document["discussed_by"],
            conjunction=document["conjunction"],
            articles=tuple(document["articles"]),
            determiners=frozenset(document["determiners"].split()),
            auxiliaries=frozenset(document["auxiliaries"].split()),
            clause_openers=frozenset(document["clause_openers"].split()),
            capital_nouns=document["capital_nouns"],
            not_topics=frozenset(
                (*document["not_topics"].split(), *due["weekdays"], *due["months"])
            ),
            not_names=frozenset(document["not_names"].split()),
            speaker_says=frozenset(document["speaker_says"]),
            labels=compiled(document["labels"], named),
            decided=document["decided"],
            to_do=document["to_do"],
            deciding=compiled(decisions["deciding"], named),
            past=compiled(named["PAST"], named),
            decisions=_cues(decisions, named),
            not_decisions=_refusals(decisions, named),
            action_items=_cues(actions, named),
            not_action_items=_refusals(actions, named),
            due=due,
        )


@lru_cache(maxsize=16)
def table(code: str) -> Language:
    """Return the table of an ISO 639-1 code; an empty one for a language without a table."""
    if code not in codes():
        return Language(code=code)
    return Language.from_toml(code, tomllib.loads((TABLES / f"{code}.toml").read_text("utf-8")))


@lru_cache(maxsize=1)
def codes() -> frozenset[str]:
    """Return the languages that have a table."""
    return frozenset(file.stem for file in TABLES.glob("*.toml"))


def _cues(section: Mapping[str, Any], named: Mapping[str, str]) -> tuple[Cue, ...]:
    return tuple(Cue(compiled(row[0], named), *row[1:]) for row in section["cues"])


def _refusals(
    section: Mapping[str, Any], named: Mapping[str, str]
) -> tuple[regex.Pattern[str], ...]:
    return tuple(compiled(pattern, named) for pattern in section["refuse"])


def compiled(pattern: str, named: Mapping[str, str]) -> regex.Pattern[str]:
    """Compile a pattern of a table, ignoring case; `{THIS}` stands for the named pattern THIS."""
    while found := _REFERENCE.search(pattern):
        pattern = pattern.replace(found.group(), named[found.group(1)])
    return regex.compile(pattern, regex.IGNORECASE)
