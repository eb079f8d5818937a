"""Files read back by other people's programs."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import docx
import openpyxl
import pypdf
import srt
import webvtt

from exports.renderers import formats
from exports.renderers.minutes import Minutes
from exports.renderers.options import Options


def made(kind: str, minutes: Minutes, folder: Path, options: Options | None = None) -> Path:
    """The file as the service makes it."""
    target = folder / f"file.{kind}"
    formats.render(formats.SINGLE[kind], formats.cleaned(minutes), options or Options(), target)
    return target


def text_of_pdf(file: Path) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(file).pages)


def text_of_docx(file: Path) -> str:
    word = docx.Document(str(file))
    cells = [cell.text for table in word.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in word.paragraphs), *cells])


def text_of_xlsx(file: Path) -> str:
    book = openpyxl.load_workbook(file)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value]
    assert {cell.data_type for cell in cells} <= {"s", "inlineStr"}, "a cell is no text"
    return "\n".join([*book.sheetnames, *(str(cell.value) for cell in cells)])


def text_of_srt(file: Path) -> str:
    cues = list(srt.parse(file.read_text("utf-8"), ignore_errors=False))
    assert all(cue.start < cue.end for cue in cues)
    return "\n".join(cue.content for cue in cues)


def text_of_vtt(file: Path) -> str:
    cues = webvtt.read(str(file))
    return "\n".join(f"{cue.voice or ''}: {cue.text}" for cue in cues.captions)


def text_of_csv(file: Path) -> str:
    rows = list(csv.reader(io.StringIO(file.read_text("utf-8-sig"), newline="")))
    assert len({len(row) for row in rows}) == 1
    return "\n".join(" ".join(row) for row in rows)


def text_of_json(file: Path) -> str:
    return json.dumps(json.loads(file.read_bytes()), ensure_ascii=False)


def text_of_zip(file: Path) -> str:
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        return "\n".join(archive.namelist())


def plain(file: Path) -> str:
    return file.read_text("utf-8")


csv.field_size_limit(10_000_000)  # Python's own is less than a segment may hold

READERS: dict[str, Callable[[Path], str]] = {
    "txt": plain,
    "md": plain,
    "html": plain,
    "srt": text_of_srt,
    "vtt": text_of_vtt,
    "json": text_of_json,
    "csv": text_of_csv,
    "pdf": text_of_pdf,
    "docx": text_of_docx,
    "xlsx": text_of_xlsx,
    "zip": text_of_zip,
}


def read(file: Path) -> str:
    """All words of a file; fails when its reader does not open it."""
    return READERS[file.suffix[1:]](file)
