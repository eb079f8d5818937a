"""A web process names formats and makes none: what makes files is not even loaded there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings

LOADED = """
import django, sys
django.setup()
import config.urls
print(*sorted({"typst", "docx", "lxml", "xlsxwriter"} & set(sys.modules)))
"""


def test_what_makes_files_is_not_loaded_where_they_are_asked_for() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        cwd=Path(settings.ROOT),
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings", "SECRET_KEY": "x" * 60},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == ""
