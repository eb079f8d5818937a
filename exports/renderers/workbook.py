"""XLSX: a sheet for each table, written row by row, with not one formula in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from exports.renderers import records
from exports.renderers.document import Part, document_of
from exports.renderers.labels import RIGHT_TO_LEFT, labels_in
from exports.renderers.minutes import Minutes, Section
from exports.renderers.options import Options, PageSize, Table
from exports.renderers.turns import is_right_to_left
from meetings.text.captions import cells

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
_PAPER = {PageSize.A4: 9, PageSize.LETTER: 1}  # as ECMA-376 numbers them
_WIDTHS = {"text": 90, "decision": 90, "task": 70, "speaker": 24, "owner": 24}
_USUAL_WIDTH = 14
_FIRST_WIDTHS = (28, 90, 40, _USUAL_WIDTH)
# Points; not every program makes a row as high as its text by itself. 409 is the highest.
_LINE_HEIGHT, _HIGHEST = 15, 409


def render(minutes: Minutes, options: Options, target: Path) -> None:
    """Write the file: what the meeting is on the first sheet, and a sheet for each table."""
    with xlsxwriter.Workbook(str(target), {**_SETTINGS, "tmpdir": str(target.parent)}) as book:
        book.set_properties({"title": minutes.title[:200], "created": _WRITTEN_AT})
        looks = _looks(book, options)
        _first_sheet(book, minutes, options, looks)
        labels = labels_in(options.language)
        for section, table in _SHEETS.items():
            if section in options.sections:
                sheet = _sheet(book, labels[section], options)
                _fill(sheet, table, minutes, options, looks)


@dataclass(frozen=True, slots=True)
class _Looks:
    """How cells look; in a right-to-left one also the full stop stands on the left."""

    head: Any
    usual: Any
    to_the_left: Any

    def of(self, text: str) -> Any:
        return self.to_the_left if is_right_to_left(text) else self.usual


def _looks(book: Any, options: Options) -> _Looks:
    usual: dict[str, Any] = {"text_wrap": True, "valign": "top"}
    if options.language in RIGHT_TO_LEFT:
        usual["align"] = "right"  # also times and names in Latin letters, below their heads
    return _Looks(
        book.add_format({"bold": True}),
        book.add_format(usual),
        book.add_format({**usual, "reading_order": 2}),
    )


def _sheet(book: Any, title: str, options: Options) -> Any:
    """A sheet that is as wide as a page when somebody prints it."""
    sheet = book.add_worksheet(title[:31])
    sheet.set_landscape()
    sheet.set_paper(_PAPER[options.page_size])
    sheet.fit_to_pages(1, 0)
    if options.language in RIGHT_TO_LEFT:
        sheet.right_to_left()
    return sheet


def _first_sheet(book: Any, minutes: Minutes, options: Options, looks: _Looks) -> None:
    document = document_of(minutes, options)
    sheet = _sheet(book, document.labels["minutes"], options)
    for column, width in enumerate(_FIRST_WIDTHS):
        sheet.set_column(column, column, width)
    at = _write(sheet, 0, (document.title,), looks)
    for part in document.parts:
        if part.section not in _SHEETS:
            at = _part(sheet, at, part, looks)


def _part(sheet: Any, at: int, part: Part, looks: _Looks) -> int:
    at = _write(sheet, at + 1, (part.title,), looks)
    for paragraph in part.paragraphs:
        at = _write(sheet, at, ("", paragraph), looks, _FIRST_WIDTHS)
    for row in part.grid.rows if part.grid else ():
        at = _write(sheet, at, tuple(cell.text for cell in row), looks, _FIRST_WIDTHS)
    return at


def _fill(sheet: Any, table: Table, minutes: Minutes, options: Options, looks: _Looks) -> None:
    titles = records.heads(table, options)
    widths = [_WIDTHS.get(name, _USUAL_WIDTH) for name in records.columns(table)]
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    at = _write(sheet, 0, tuple(titles), looks)
    for row in records.rows(table, minutes, options):
        at = _write(sheet, at, row, looks, widths)


def _write(
    sheet: Any, at: int, texts: tuple[str, ...], looks: _Looks, widths: Sequence[int] = ()
) -> int:
    """Write texts from row `at` on, long ones over several rows; the row after them.

    Without widths they are heads: bold, and on one line.
    """
    pieces = max(1, -(-max(map(len, texts), default=0) // _CELL_CHARACTERS))
    for piece in range(pieces):
        part = slice(piece * _CELL_CHARACTERS, (piece + 1) * _CELL_CHARACTERS)
        shown = [text[part] for text in texts]
        if (lines := _lines(shown, widths)) > 1:
            sheet.set_row(at + piece, min(lines * _LINE_HEIGHT, _HIGHEST))
        for column, (text, held) in enumerate(zip(texts, shown, strict=True)):
            if held:
                look = looks.of(text) if widths else looks.head
                sheet.write_string(at + piece, column, held, look)
    return at + pieces


def _lines(texts: Sequence[str], widths: Sequence[int]) -> int:
    """About how many lines the texts of a row take; a Chinese character is two wide."""
    long = (
        (text, width) for text, width in zip(texts, widths, strict=False) if 2 * len(text) > width
    )
    return max((-(-cells(text) // width) for text, width in long), default=1)
