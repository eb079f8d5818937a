"""`manage.py analyse FILE`: what a transcript comes to, on standard output, no server needed."""

from __future__ import annotations

import dataclasses
import json
import textwrap
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core import errors
from meetings.analysis.discussion import Discussion, Turn
from meetings.analysis.engines import ENGINE
from meetings.analysis.findings import (
    SENTENCES,
    ActionItemFound,
    DecisionFound,
    Note,
    Quote,
    Section,
    SectionFindings,
    SummaryFound,
    TopicFound,
)
from meetings.importers.transcripts import read_transcript
from meetings.importers.values import ImportedTranscript
from meetings.text.language_tags import base_language
from meetings.text.notes import Note as FileNote

HEADINGS = {
    Section.SUMMARY: "Summary",
    Section.TOPICS: "Topics",
    Section.DECISIONS: "Possible decisions",
    Section.ACTION_ITEMS: "Possible action items",
}


class Command(BaseCommand):
    """Reads what `transcribe` writes, captions, and lines of text with their speakers."""

    help = "Finds summary, topics, decisions and action items in a transcript file."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--out", choices=("json", "txt"), default="txt", help="the format")
        parser.add_argument(
            "--language", help="a code such as de or de-AT; else what the file says"
        )
        parser.add_argument(
            "--held-on", type=_day, metavar="DATE", help="what 'on Friday' is counted from"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        file = options["file"]
        try:
            transcript = read_transcript(file.read_bytes(), filename=file.name)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        except errors.DomainError as refusal:
            raise CommandError(refusal.detail) from refusal
        discussion = _discussion(transcript, options["language"], options["held_on"])
        found = [ENGINE.find(section, discussion) for section in Section]
        write = _json if options["out"] == "json" else _txt
        self.stdout.write(write(found, discussion, transcript.notes), ending="")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError("a day such as 2026-11-22") from error


def _discussion(
    transcript: ImportedTranscript, language: str | None, held_on: date | None
) -> Discussion:
    turns = (
        Turn(str(number), segment.text, segment.speaker, segment.start_ms, segment.end_ms)
        for number, segment in enumerate(transcript.segments, start=1)
    )
    return Discussion(tuple(turns), base_language(language or transcript.language), held_on)


def _json(found: list[SectionFindings], _discussion: Discussion, notes: Iterable[FileNote]) -> str:
    whole = {
        "engine": ENGINE.name,
        "notes": [{**note.to_json(), "message": note.message} for note in notes],
        "sections": {findings.section: _plain(findings) for findings in found},
    }
    return json.dumps(whole, ensure_ascii=False, indent=1, default=str) + "\n"


def _plain(findings: SectionFindings) -> dict[str, Any]:
    plain = dataclasses.asdict(findings)
    del plain["section"]
    return plain


def _txt(found: list[SectionFindings], discussion: Discussion, notes: Iterable[FileNote]) -> str:
    turns = {turn.id: turn for turn in discussion.turns}
    of_all = set.intersection(*(set(findings.notes) for findings in found))
    read = max(findings.turns_used for findings in found)
    lines = [f"{ENGINE.name}, from {read} of {len(turns)} turns", *_told(of_all)]
    lines += [*(f"({note.message})" for note in notes), ""]
    for findings in found:
        lines += [HEADINGS[findings.section].upper(), *_lines(findings, turns)]
        lines += [*_told(set(findings.notes) - of_all), ""]
    return "\n".join(lines)


def _told(notes: set[Note]) -> list[str]:
    return [f"({SENTENCES[note]})" for note in sorted(notes)]


def _lines(findings: SectionFindings, turns: dict[str, Turn]) -> Iterator[str]:
    for item in findings.items:
        match item:
            case SummaryFound(text=text):
                yield _wrapped("  ", text)
            case TopicFound():
                yield f"  {_where(turns[item.first_turn_id])}{item.title}"
            case DecisionFound() | ActionItemFound():
                yield _wrapped("  - ", item.text + _who_and_when(item))
                yield from (_wrapped("    ", _quoted(quote, turns)) for quote in item.quotes)
    if not findings.items and not findings.notes:
        yield "  None was found."


def _wrapped(indent: str, text: str) -> str:
    return textwrap.fill(
        text,
        100,
        initial_indent=indent,
        subsequent_indent=" " * len(indent),
        break_on_hyphens=False,
    )


def _who_and_when(item: DecisionFound | ActionItemFound) -> str:
    if isinstance(item, DecisionFound):
        return ""
    due = str(item.due_on) if item.due_on else item.due_phrase
    known = [part for part in (item.owner_name, due and f"due {due}") if part]
    return f" ({', '.join(known)})" if known else ""


def _quoted(quote: Quote, turns: dict[str, Turn]) -> str:
    turn = turns[quote.turn_id]
    speaker = f"{turn.speaker}: " if turn.speaker else ""
    return f'{_where(turn)}{speaker}"{quote.text}"'


def _where(turn: Turn) -> str:
    """The moment of a turn; its number where the transcript has no times."""
    if turn.start_ms is None:
        return f"#{turn.id} "
    minutes, seconds = divmod(turn.start_ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02} "
