"""`manage.py verify_storage`: stored files that were lost or damaged, and their rows."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.files import marker, verification
from core.files.errors import StorageUnavailable
from core.files.models import StoredFile


class Command(BaseCommand):
    help = (
        "Compares stored files with their rows and prints those that are missing or damaged. "
        "Exit code 1 if there are any, also of earlier runs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--all", action="store_true", help="also files that were verified in the last 30 days"
        )
        parser.add_argument(
            "--adopt",
            action="store_true",
            help="first make this storage that of this database: after moving it, or for a copy",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["adopt"]:
                marker.adopt_storage()
            marker.check_storage()
            self._verify(is_all=options["all"])
        except marker.WrongStorage as error:
            raise CommandError(error.hint) from error
        except StorageUnavailable as error:
            raise CommandError(error.detail) from error

    def _verify(self, *, is_all: bool) -> None:
        rows = StoredFile.objects.all() if is_all else verification.files_to_verify()
        verified = 0
        for stored in rows.iterator():
            verification.verify(stored)
            verified += 1
        problems = list(StoredFile.objects.exclude(problem="").order_by("id"))
        for stored in problems:
            users = ", ".join(verification.rows_naming(stored)) or "no row"
            self.stdout.write(f"{stored.problem} {stored.key}: {users}")
        self.stdout.write(f"{verified} files verified, {len(problems)} missing or damaged.")
        if problems:
            sys.exit(1)
