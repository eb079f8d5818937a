"""What does the heavy work is loaded by the workers that do it, and by no other process.

A web process names formats and engines and uses none; so does a relay, which loads the same apps.
"""

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
heavy = {
    "typst", "pikepdf", "docx", "lxml", "xlsxwriter", "dateparser", "faster_whisper", "numpy",
}
print(*sorted(heavy & set(sys.modules)))
"""


def test_what_makes_files_and_texts_is_not_loaded_where_they_are_asked_for() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        cwd=Path(settings.ROOT),
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings", "SECRET_KEY": "x" * 60},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == ""
