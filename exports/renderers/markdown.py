"""Markdown as CommonMark with the tables of GitHub; what people said stays text in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from exports.renderers.document import Document, Grid, document_of
from exports.renderers.minutes import Minutes
from exports.renderers.options import Options

_MARKS = re.compile(r"([\\`*_\[\]~|!])")
_LINE_START = re.compile(r"^(\s*)([#+=>-]|\d{1,9}(?=[.)]))")


def render(minutes: Minutes, options: Options, target: Path) -> None:
    """Write the file."""
    document = document_of(minutes, options)
    target.write_text("\n".join(_lines(document)) + "\n", "utf-8", newline="\n")


def escaped(text: str) -> str:
    """A text of which nothing is read as markup or HTML (CommonMark, sections 2.4 and 2.5)."""
    plain = _MARKS.sub(r"\\\1", text)
    plain = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _LINE_START.sub(_guarded, plain)


def _guarded(start: re.Match[str]) -> str:
    space, mark = start[1], start[2]
    # The digits themselves cannot be escaped, only what follows them.
    return f"{space}&#{ord(mark[0])};{mark[1:]}"


def _lines(document: Document) -> Iterator[str]:
    yield f"# {escaped(document.title)}"
    for part in document.parts:
        yield from ("", f"## {escaped(part.title)}", "")
        if part.paragraphs:
            yield "\n\n".join(map(escaped, part.paragraphs))
        if part.grid is not None:
            yield from _table(part.grid)
    if document.chapters:
        yield from ("", f"## {escaped(document.labels['transcript'])}")
    for title, time, turns in document.chapters:
        if title:
            yield from ("", f"### {escaped(title)}" + (f" ({time})" if time else ""))
        for said in turns:
            head = f"**{escaped(said.speaker)}**" if said.speaker else ""
            yield from ("", " ".join(filter(None, (head, said.time and f"`{said.time}`"))))
            for mark, text in said.pieces:
                yield from ("", f"`{mark}` {escaped(text)}" if mark else escaped(text))


def _table(grid: Grid) -> Iterator[str]:
    yield _row(escaped(head) if head else " " for head in grid.heads)
    yield _row("---" for _ in grid.heads)
    for row in grid.rows:
        yield _row(escaped(cell.text) for cell in row)


def _row(cells: Iterator[str]) -> str:
    return f"| {' | '.join(cells)} |"
