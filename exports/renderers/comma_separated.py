"""CSV: RFC 4180 in UTF-8 with the mark by which Excel knows it."""

from __future__ import annotations

import csv
from pathlib import Path

from exports.renderers import records
from exports.renderers.minutes import Minutes
from exports.renderers.options import Options

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")  # noqa: RUF001


def render(minutes: Minutes, options: Options, target: Path) -> None:
    """Write the rows of the chosen table."""
    with target.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(records.heads(options.table, options))
        for row in records.rows(options.table, minutes, options):
            writer.writerow([guarded(text) for text in row] if options.guard_formulas else row)


def guarded(text: str) -> str:
    """A text that a spreadsheet does not run as a formula (OWASP, "CSV Injection")."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
