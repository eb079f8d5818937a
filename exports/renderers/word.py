"""DOCX by python-docx: headings, tables, and links from what was found to the words."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import docx
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.oxml.table import CT_Tc
from docx.shared import Cm, Length, Pt, RGBColor
from lxml.etree import SubElement

from exports.renderers.document import Cell, Document, Grid, Said, anchor_of, anchors, document_of
from exports.renderers.minutes import Minutes
from exports.renderers.options import Options, PageSize
from exports.renderers.turns import is_right_to_left
from meetings.text.captions import cells

_PAPER = {PageSize.A4: (Cm(21.0), Cm(29.7)), PageSize.LETTER: (Cm(21.59), Cm(27.94))}
_WRITTEN_AT = datetime(1980, 1, 1)  # noqa: DTZ001 - no clock: the same minutes, the same bytes
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
_BLUE, _GREY = RGBColor(0x1F, 0x4E, 0x79), RGBColor(0x55, 0x60, 0x6A)
# Word's own names of East Asian languages; others are their codes.
_REGIONS = {"zh": "zh-CN", "ja": "ja-JP"}

_PROPERTIES, _STYLE, _VALUE = qn("w:pPr"), qn("w:pStyle"), qn("w:val")
_RUN, _RUN_PROPERTIES, _RUN_STYLE, _TEXT = qn("w:r"), qn("w:rPr"), qn("w:rStyle"), qn("w:t")
_SPACE = qn("xml:space")
# Word and LibreOffice both know these; of Word's own element for it only Word knows.
_EMBEDDED, _ENDED = "\u202a", "\u202c"
# Parts of the template that nobody needs: a picture of its own page, and its styles a second time.
_UNUSED = ("/thumbnail", "/stylesWithEffects")
_NARROWEST_CM, _LETTER_CM, _PADDING_CM, _LETTERS = 1.0, 0.22, 0.6, 12


def render(minutes: Minutes, options: Options, target: Path) -> None:
    """Write the file."""
    document = document_of(minutes, options)
    word = docx.Document()
    _drop_unused(word)
    _prepare(word, document, options, minutes)
    _Writer(word, document).write()
    draft = target.with_name(f"{target.name}.draft")
    try:
        word.save(str(draft))
        _without_clock(draft, target)
    finally:
        draft.unlink(missing_ok=True)


def _drop_unused(word: Any) -> None:
    """A part is written only if another one refers to it."""
    for relations in (word.part.package.rels, word.part.rels):
        for key in [key for key, one in relations.items() if one.reltype.endswith(_UNUSED)]:
            del relations[key]


def _prepare(word: Any, document: Document, options: Options, minutes: Minutes) -> None:
    section = word.sections[0]
    section.page_width, section.page_height = _PAPER[options.page_size]
    section.left_margin = section.right_margin = Cm(2.2)
    facts = word.core_properties
    facts.title, facts.author = document.title[:255], minutes.organizer[:255]
    facts.created = facts.modified = _WRITTEN_AT
    facts.comments, facts.language = "", document.language
    _style_language(word, document)
    mark = word.styles.add_style("Mark", WD_STYLE_TYPE.CHARACTER)
    mark.font.color.rgb, mark.font.size = _GREY, Pt(9)
    who = word.styles.add_style("Speaker", WD_STYLE_TYPE.PARAGRAPH)
    who.base_style, who.font.bold = word.styles["Normal"], True
    who.font.color.rgb = _BLUE
    who.paragraph_format.keep_with_next = True
    who.paragraph_format.space_after = Pt(0)
    _footer(section, document)


def _style_language(word: Any, document: Document) -> None:
    """The language and, where it is so, the direction of the whole document."""
    normal = word.styles["Normal"]
    normal.paragraph_format.space_after = Pt(4)
    properties = normal.element.get_or_add_rPr()
    language = OxmlElement("w:lang")
    code = _REGIONS.get(document.language, document.language)
    for name in ("w:val", "w:eastAsia", "w:bidi"):
        language.set(qn(name), code)
    properties.append(language)
    if document.is_right_to_left:
        normal.element.get_or_add_pPr().insert_element_before(OxmlElement("w:bidi"), "w:spacing")


def _footer(section: Any, document: Document) -> None:
    paragraph = section.footer.paragraphs[0]
    paragraph.add_run(f"{document.title[:120]}    ", style="Mark")
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    paragraph._p.append(field)


class _Writer:
    """Writes the parts one after the other.

    Paragraphs are put together from elements: python-docx looks styles up by name for each run,
    which takes ten times as long in a transcript.
    """

    def __init__(self, word: Any, document: Document) -> None:
        self._word = word
        self._document = document
        self._end = word.element.body.sectPr
        self._leads_to = anchors(document)
        self._targets = set(self._leads_to.values())

    def write(self) -> None:
        self._words(self._paragraph("Title"), self._document.title)
        if self._document.held:
            self._mark(self._paragraph(), self._document.held)
        for part in self._document.parts:
            self._heading(part.title, "Heading1")
            for text in part.paragraphs:
                self._words(self._paragraph(), text)
            if part.grid is not None:
                self._grid(part.grid)
        if self._document.chapters:
            self._heading(self._document.labels["transcript"], "Heading1")
        for title, time, turns in self._document.chapters:
            if title:
                self._heading(title, "Heading2", time)
            for said in turns:
                self._said(said)

    def _heading(self, text: str, style: str, time: str = "") -> None:
        paragraph = self._paragraph(style)
        self._words(paragraph, text)
        if time:
            self._mark(paragraph, f"  {time}")

    def _said(self, said: Said) -> None:
        is_target = said.first in self._targets
        if said.speaker or said.time or is_target:
            head = self._paragraph("Speaker")
            if is_target:
                _bookmark(head, said)
            self._words(head, said.speaker)
            if said.time:
                self._mark(head, f"  {said.time}")
        for time, text in said.pieces:
            paragraph = self._paragraph()
            if time:
                self._mark(paragraph, f"{time}  ")
            self._words(paragraph, text)

    def _grid(self, grid: Grid) -> None:
        table = self._word.add_table(rows=0, cols=len(grid.heads), style="Light Grid Accent 1")
        table.autofit = False
        widths = self._widths(grid)
        for column, width in zip(table._tbl.tblGrid.gridCol_lst, widths, strict=True):
            column.w = width
        if not any(grid.heads):
            look = table._tbl.tblPr.find(qn("w:tblLook"))
            look.set(qn("w:firstRow"), "0")
            look.set(_VALUE, "0480")
        if self._document.is_right_to_left:
            table._tbl.tblPr.insert(1, OxmlElement("w:bidiVisual"))
        if any(grid.heads):
            row = _row(table, widths)
            row.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
            for cell, title in zip(row.tc_lst, grid.heads, strict=True):
                self._words(cell.p_lst[0], title)
        for held in grid.rows:
            for place, cell in zip(_row(table, widths).tc_lst, held, strict=True):
                self._cell(place.p_lst[0], cell)

    def _widths(self, grid: Grid) -> list[Length]:
        """Of each column: short texts take what they need, the wide ones share what is left."""
        section = self._word.sections[0]
        room = section.page_width - section.left_margin - section.right_margin
        columns = zip(grid.heads, *([cell.text for cell in row] for row in grid.rows), strict=True)
        narrow = [_width_for(texts) for texts in columns]
        taken = sum(w for w, is_wide in zip(narrow, grid.wide, strict=True) if not is_wide)
        share = Length((room - taken) // max(1, sum(grid.wide)))
        return [
            share if is_wide else width for width, is_wide in zip(narrow, grid.wide, strict=True)
        ]

    def _cell(self, paragraph: Any, cell: Cell) -> None:
        turn = None if cell.segment is None else self._leads_to.get(cell.segment)
        if turn is not None:
            link = SubElement(paragraph, qn("w:hyperlink"))
            link.set(qn("w:anchor"), anchor_of(turn))
            self._mark(link, cell.text)
        elif cell.mark:
            self._mark(paragraph, cell.text)
        else:
            self._words(paragraph, cell.text)

    def _paragraph(self, style: str = "") -> Any:
        paragraph = OxmlElement("w:p")
        if style:
            SubElement(SubElement(paragraph, _PROPERTIES), _STYLE).set(_VALUE, style)
        self._end.addprevious(paragraph)
        return paragraph

    def _words(self, paragraph: Any, text: str) -> None:
        """Words, in the direction that their first letters have."""
        is_rtl = is_right_to_left(text)
        if is_rtl and not self._document.is_right_to_left:
            paragraph.get_or_add_pPr().append(OxmlElement("w:bidi"))
        _run(paragraph, text, is_rtl=is_rtl)

    def _mark(self, paragraph: Any, text: str) -> None:
        """A time, a day or a figure: its parts stand from left to right everywhere."""
        is_mixed = self._document.is_right_to_left and " " in text.strip()
        _run(paragraph, f"{_EMBEDDED}{text}{_ENDED}" if is_mixed else text, mark=True)


def _row(table: Any, widths: Iterable[Length]) -> Any:
    """Add a row. python-docx looks through all rows for the place of the next."""
    row: Any = OxmlElement("w:tr")
    for width in widths:
        cell = CT_Tc.new()
        cell.width = width
        row.append(cell)
    table._tbl.append(row)
    return row


def _width_for(texts: Iterable[str]) -> Length:
    """For a column of short texts; longer ones go on in the next line."""
    longest = min(_LETTERS, max(map(cells, texts)))
    return Cm(max(_NARROWEST_CM, longest * _LETTER_CM + _PADDING_CM))


def _run(paragraph: Any, text: str, *, mark: bool = False, is_rtl: bool = False) -> None:
    """Add text. A mark is not marked as running right to left."""
    run = SubElement(paragraph, _RUN)
    if mark:
        SubElement(SubElement(run, _RUN_PROPERTIES), _RUN_STYLE).set(_VALUE, "Mark")
    elif is_rtl:
        SubElement(SubElement(run, _RUN_PROPERTIES), qn("w:rtl"))
    words = SubElement(run, _TEXT)
    words.text = text
    words.set(_SPACE, "preserve")


def _bookmark(paragraph: Any, said: Said) -> None:
    start = SubElement(paragraph, qn("w:bookmarkStart"))
    start.set(qn("w:id"), str(said.first))
    start.set(qn("w:name"), said.anchor)
    SubElement(paragraph, qn("w:bookmarkEnd")).set(qn("w:id"), str(said.first))


def _without_clock(source: Path, target: Path) -> None:
    """The same archive without the time of day in it."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            entry = zipfile.ZipInfo(name, _ZIP_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with old.open(name) as read, new.open(entry, "w") as written:
                shutil.copyfileobj(read, written)
