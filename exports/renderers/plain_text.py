"""TXT: lines of text in UTF-8, for everything that reads text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from exports.renderers.document import Document, Grid, document_of
from exports.renderers.minutes import Minutes
from exports.renderers.options import Options


def render(minutes: Minutes, options: Options, target: Path) -> None:
    """Write the file."""
    document = document_of(minutes, options)
    target.write_text("\n".join(_lines(document)) + "\n", "utf-8", newline="\n")


def _lines(document: Document) -> Iterator[str]:
    yield document.title
    for part in document.parts:
        yield from _heading(part.title)
        yield from part.paragraphs
        if part.grid is not None:
            yield from _rows(part.grid)
    if document.chapters:
        yield from _heading(document.labels["transcript"])
    for title, time, turns in document.chapters:
        if title:
            yield from ("", f"[{time}] {title}" if time else title)
        for said in turns:
            yield ""
            head = " ".join(filter(None, (said.time and f"[{said.time}]", said.speaker)))
            yield from [f"{head}:"] if head else []
            for mark, text in said.pieces:
                yield f"[{mark}] {text}" if mark else text


def _heading(title: str) -> Iterator[str]:
    yield from ("", title.upper(), "")


def _rows(grid: Grid) -> Iterator[str]:
    """Each row on a line of its own: a table drawn with spaces breaks in every other script."""
    for row in grid.rows:
        if grid.heads[0] == "#":
            number, text, *rest = (cell.text for cell in row)
            more = "; ".join(filter(None, rest))
            yield f"{number}. {text}" + (f" ({more})" if more else "")
        elif grid.heads[0]:
            yield "- " + ", ".join(cell.text for cell in row if cell.text)
        else:
            yield ": ".join(cell.text for cell in row)
