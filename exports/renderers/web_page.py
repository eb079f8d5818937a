"""HTML: one page with nothing beside it, laid out by templates/exports/meeting.html."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.template import Context, Engine

from exports.renderers.document import Cell, Document, Grid, anchor_of, anchors, document_of
from exports.renderers.minutes import Minutes
from exports.renderers.options import Options
from exports.renderers.places import LAYOUTS

_engine = Engine(dirs=[str(LAYOUTS)], autoescape=True)


def render(minutes: Minutes, options: Options, target: Path) -> None:
    """Write the file. Every text is escaped; the page's own policy forbids it to load or run."""
    document = document_of(minutes, options)
    page = _engine.get_template("meeting.html").render(Context(_values(document)))
    target.write_text(page, "utf-8", newline="\n")


def _values(document: Document) -> dict[str, Any]:
    leads_to = anchors(document)
    parts = [
        {
            "id": part.section,
            "title": part.title,
            "paragraphs": part.paragraphs,
            "heads": part.grid.heads if part.grid and any(part.grid.heads) else (),
            "rows": _rows(part.grid, leads_to) if part.grid else (),
        }
        for part in document.parts
    ]
    targets = set(leads_to.values())
    return {"document": document, "parts": parts, "targets": targets}


def _rows(grid: Grid, leads_to: dict[int, int]) -> list[list[tuple[str, bool, str]]]:
    """Cells as text, whether a mark, and the name of the turn they lead to."""
    return [[(cell.text, cell.mark, _link(cell, leads_to)) for cell in row] for row in grid.rows]


def _link(cell: Cell, leads_to: dict[int, int]) -> str:
    turn = None if cell.segment is None else leads_to.get(cell.segment)
    return "" if turn is None else anchor_of(turn)
