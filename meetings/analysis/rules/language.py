"""The language tables of `cues/`: what each language calls a filler, a decision, a due date."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import regex

from meetings.analysis.languages import language_words

TABLES = Path(__file__).parent / "cues"
# What each pattern may lean on, beside what its table defines under [named].
NAME = r"(?-i:(?P<owner>\p{Lu}[\p{L}'’\-]++(?: \p{Lu}[\p{L}'’\-]++){0,2}))"
_REFERENCE = regex.compile(r"\{([A-Z_]{2,})\}")


@dataclass(frozen=True, slots=True)
class Cue:
    """A way of saying that something was decided or is to be done, and how sure it makes us.

    `needs` says what the wording alone is too weak for. "participant": the owner has spoken in the
    meeting; "due": the sentence holds a due date; "known": one of the two. Two more say how a cue
    is read. "speaker": its verb says that the speaker acts; "request": it may be a question.
    """

    pattern: regex.Pattern[str]
    confidence: float
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Language:
    """One table, read. An empty one serves every language that has none."""

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


@lru_cache(maxsize=16)
def table(code: str) -> Language:
    """The table of an ISO 639-1 code, an empty one where there is none."""
    file = TABLES / f"{code}.toml"
    if code not in codes():
        return Language(code=code)
    return _language(code, tomllib.loads(file.read_text("utf-8")))


@lru_cache(maxsize=1)
def codes() -> frozenset[str]:
    """The languages that have a table."""
    return frozenset(file.stem for file in TABLES.glob("*.toml"))


def _language(code: str, read: Mapping[str, Any]) -> Language:
    named = {"NAME": NAME, **read["named"]}
    decisions, actions, due = read["decisions"], read["action_items"], read["due"]
    words = language_words(code)
    return Language(
        code=code,
        stemmer=words.stemmer,
        stop_words=words.stop_words,
        fillers=tuple(
            sorted((tuple(each.split()) for each in read["fillers"]), key=len, reverse=True)
        ),
        openers=frozenset(read["openers"]),
        dangling=frozenset(read["dangling"]),
        abbreviations=frozenset(read["abbreviations"]),
        unfinished=frozenset(read["unfinished"].split()),
        courtesies=frozenset(read["courtesies"]),
        letters=frozenset(read["letters"]),
        discussed=read["discussed"],
        discussed_by=read["discussed_by"],
        conjunction=read["conjunction"],
        articles=tuple(read["articles"]),
        determiners=frozenset(read["determiners"].split()),
        auxiliaries=frozenset(read["auxiliaries"].split()),
        clause_openers=frozenset(read["clause_openers"].split()),
        capital_nouns=read["capital_nouns"],
        not_topics=frozenset((*read["not_topics"].split(), *due["weekdays"], *due["months"])),
        not_names=frozenset(read["not_names"].split()),
        speaker_says=frozenset(read["speaker_says"]),
        labels=compiled(read["labels"], named),
        decided=read["decided"],
        to_do=read["to_do"],
        deciding=compiled(decisions["deciding"], named),
        past=compiled(named["PAST"], named),
        decisions=_cues(decisions, named),
        not_decisions=_refusals(decisions, named),
        action_items=_cues(actions, named),
        not_action_items=_refusals(actions, named),
        due=due,
    )


def _cues(section: Mapping[str, Any], named: Mapping[str, str]) -> tuple[Cue, ...]:
    return tuple(Cue(compiled(each[0], named), *each[1:]) for each in section["cues"])


def _refusals(
    section: Mapping[str, Any], named: Mapping[str, str]
) -> tuple[regex.Pattern[str], ...]:
    return tuple(compiled(each, named) for each in section["refuse"])


def compiled(pattern: str, named: Mapping[str, str]) -> regex.Pattern[str]:
    """A pattern of a table, blind to case. `{THIS}` stands for the named pattern THIS."""
    while found := _REFERENCE.search(pattern):
        pattern = pattern.replace(found.group(), named[found.group(1)])
    return regex.compile(pattern, regex.IGNORECASE)
