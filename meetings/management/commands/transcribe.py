"""`manage.py transcribe FILE`: a recording's text on standard output, no server needed."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from core import errors
from meetings.media.model_files import ModelFacts, find_model
from meetings.text.caption_files import subrip, webvtt
from meetings.text.captions import Caption, captions
from meetings.text.language_tags import base_language
from meetings.text.segments import Segment
from meetings.transcription.assemble import TranscriptText
from meetings.transcription.local import transcribe_file

_MOST_PROCESSES = 4
_BAR_WIDTH = 30


class Command(BaseCommand):
    """The text goes to standard output, the progress bar and notes to standard error."""

    help = "Transcribes a recording: text, SubRip, WebVTT or JSON on standard output."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--out", choices=sorted(FORMATS), default="txt", help="the format")
        parser.add_argument(
            "--language", help="a code such as de or de-AT; found by itself if not given"
        )
        parser.add_argument("--processes", type=int, default=_default_processes())

    def handle(self, *_args: Any, **options: Any) -> None:
        if not options["file"].is_file():
            raise CommandError(f"There is no file {options['file']}.")
        if options["processes"] < 1:
            raise CommandError("At least one process has to do the work.")
        try:
            model = find_model(settings.ASR_MODEL_DIR or None)
            language = base_language(options["language"] or "") or None
            _check_language(model, language)
            text = transcribe_file(
                options["file"],
                model=model,
                processes=options["processes"],
                language=language,
                on_progress=_draw,
            )
        except errors.DomainError as refusal:
            raise CommandError(refusal.detail) from refusal
        for note in text.notes:
            self.stderr.write(note.message)
        self.stdout.write(FORMATS[options["out"]](text, model), ending="")


def _default_processes() -> int:
    return min(os.cpu_count() or 1, _MOST_PROCESSES)


def _check_language(model: ModelFacts, language: str | None) -> None:
    if language and language not in model.languages:
        raise CommandError(f"The speech model {model.name} does not know the language {language}.")


def _draw(share: float) -> None:
    """Draw the bar again in its place; only for a person who watches."""
    if sys.stderr.isatty():
        full = round(_BAR_WIDTH * share)
        bar = "#" * full + "." * (_BAR_WIDTH - full)
        sys.stderr.write(f"\r[{bar}] {share:4.0%}" + ("\n" if share == 1 else ""))
        sys.stderr.flush()


def _txt(text: TranscriptText, _model: ModelFacts) -> str:
    return "".join(f"[{_clock(s.start_ms)}] {s.text}\n" for s in text.segments)


def _clock(milliseconds: int) -> str:
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def _json(text: TranscriptText, model: ModelFacts) -> str:
    whole = {
        "language": text.language,
        "engine": model.name,
        "confidence": text.confidence,
        "notes": [{**note.to_json(), "message": note.message} for note in text.notes],
        "segments": [segment.to_json() for segment in text.segments],
    }
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def _captions(text: TranscriptText) -> list[Caption]:
    segments = [
        Segment(
            segment.text,
            start_ms=segment.start_ms,
            end_ms=segment.end_ms,
            words=tuple(word[:3] for word in segment.bare_words()),
        )
        for segment in text.segments
    ]
    return captions(segments) if segments else []


FORMATS: dict[str, Callable[[TranscriptText, ModelFacts], str]] = {
    "txt": _txt,
    "json": _json,
    "srt": lambda text, _model: subrip(_captions(text)),
    "vtt": lambda text, _model: webvtt(_captions(text)),
}
