"""XLSX: a sheet for each table, written row by row, with not one formula in it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from exports.renderers import records
from exports.renderers.document import Part, document_of
from exports.renderers.labels import RIGHT_TO_LEFT, labels_in
from exports.renderers.minutes import Minutes, Section
from exports.renderers.options import Options, Table

# Excel holds 32,767 UTF-16 units in a cell: a longer text goes on in the rows below.
_CELL_CHARACTERS = 16_000
_WRITTEN_AT = datetime(1980, 1, 1)  # noqa: DTZ001 - no clock: the same minutes, the same bytes
_SETTINGS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_SHEETS = {
    Section.DECISIONS: Table.DECISIONS,
    Section.ACTION_ITEMS: Table.ACTION_ITEMS,
    Section.TRANSCRIPT: Table.SEGMENTS,
}
_WIDTHS = {"text": 90, "decision": 90, "task": 70, "speaker": 24, "owner": 24}


def render(minutes: Minutes, options: Options, target: Path) -> None:
    """Write the file: what the meeting is on the first sheet, and a sheet for each table."""
    with xlsxwriter.Workbook(str(target), {**_SETTINGS, "tmpdir": str(target.parent)}) as book:
        book.set_properties({"title": minutes.title[:200], "created": _WRITTEN_AT})
        bold = book.add_format({"bold": True, "text_wrap": False})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        _first_sheet(book, minutes, options, wrapped)
        labels = labels_in(options.language)
        for section, table in _SHEETS.items():
            if section in options.sections:
                sheet = _sheet(book, labels[section], options)
                _fill(sheet, table, minutes, options, (bold, wrapped))


def _sheet(book: Any, title: str, options: Options) -> Any:
    sheet = book.add_worksheet(title[:31])
    if options.language in RIGHT_TO_LEFT:
        sheet.right_to_left()
    return sheet


def _first_sheet(book: Any, minutes: Minutes, options: Options, wrapped: Any) -> None:
    document = document_of(minutes, options)
    sheet = _sheet(book, document.labels["minutes"], options)
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 90)
    at = _write(sheet, 0, (document.title,), wrapped)
    for part in document.parts:
        if part.section not in _SHEETS:
            at = _part(sheet, at, part, wrapped)


def _part(sheet: Any, at: int, part: Part, wrapped: Any) -> int:
    at = _write(sheet, at + 1, (part.title,), wrapped)
    for paragraph in part.paragraphs:
        at = _write(sheet, at, ("", paragraph), wrapped)
    for row in part.grid.rows if part.grid else ():
        at = _write(sheet, at, tuple(cell.text for cell in row), wrapped)
    return at


def _fill(
    sheet: Any, table: Table, minutes: Minutes, options: Options, formats: tuple[Any, Any]
) -> None:
    bold, wrapped = formats
    titles = records.heads(table, options)
    for column, name in enumerate(records.columns(table)):
        sheet.set_column(column, column, _WIDTHS.get(name, 14))
    sheet.freeze_panes(1, 0)
    at = _write(sheet, 0, tuple(titles), bold)
    for row in records.rows(table, minutes, options):
        at = _write(sheet, at, row, wrapped)


def _write(sheet: Any, at: int, texts: tuple[str, ...], style: Any) -> int:
    """Write texts from row `at` on, long ones over several rows; the row after them."""
    pieces = max(1, -(-max(map(len, texts), default=0) // _CELL_CHARACTERS))
    for piece in range(pieces):
        start = piece * _CELL_CHARACTERS
        for column, text in enumerate(texts):
            if shown := text[start : start + _CELL_CHARACTERS]:
                sheet.write_string(at + piece, column, shown, style)
    return at + pieces
