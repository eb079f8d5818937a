"""`manage.py export MEETING --format pdf`: a file of a meeting, without a worker."""

from __future__ import annotations

import shutil
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from core import errors
from core.jobs.failures import JobFailure
from exports import queries
from exports.renderers.formats import NAMES, filename_of, formats_in
from exports.renderers.labels import LANGUAGES, language_for
from exports.renderers.options import Options
from exports.services.exports import made
from meetings.models import Meeting


class Command(BaseCommand):
    """Writes beside you, keeps nothing, tells nobody. The path goes to standard output."""

    help = "Makes a file of a meeting: PDF, Word, captions and others."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("meeting", metavar="MEETING", type=UUID, help="its id")
        parser.add_argument("--format", choices=NAMES, default="pdf")
        parser.add_argument("--out", type=Path, help="the file, named after the meeting if absent")
        parser.add_argument("--language", choices=LANGUAGES, help="of the labels")
        parser.add_argument("--include-unverified", action="store_true")

    def handle(self, *_args: Any, **chosen: Any) -> None:
        rows = Meeting.objects.select_related("organization", "organizer")
        meeting = rows.filter(id=chosen["meeting"]).first()
        if meeting is None:
            raise CommandError(f"There is no meeting {chosen['meeting']}.")
        options = Options(
            language=chosen["language"] or language_for(meeting.language),
            include_unverified=chosen["include_unverified"],
        )
        try:
            target = _write(meeting, chosen["format"], options, chosen["out"])
        except (errors.DomainError, JobFailure) as failure:
            raise CommandError(failure.detail) from failure
        self.stdout.write(str(target))


def _write(meeting: Meeting, format: str, options: Options, out: Path | None) -> Path:  # noqa: A002
    needs_words = any(kind.is_captions for kind in formats_in(format, options))
    minutes = queries.minutes_of(meeting, with_words=needs_words)
    target = out or Path(filename_of(minutes, format))
    with made(minutes, format, options) as file:
        shutil.copyfile(file.path, target)
    return target
