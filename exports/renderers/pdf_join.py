"""The PDFs of chunks joined by pikepdf: tags, bookmarks, and links from one to another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pikepdf
from pikepdf import Name, NumberTree, OutlineItem, Pdf

from exports.renderers.pdf_chunks import Heading, Places


def join(files: Sequence[Path], target: Path, places: Places) -> None:
    """Write one tagged file of all pages, with the properties of the first file."""
    with Pdf.open(files[0]) as joined:
        front = list(joined.pages)
        for position, file in enumerate(files[1:]):
            # Not closed: its streams are read when all is saved.
            _append(joined, Pdf.open(file), opens=position == 0)
        for page in front:
            for link in page.get("/Annots", []):
                _lead(joined, link, places)
        _add_bookmarks(joined, places.headings)
        joined.save(
            target, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True
        )


def _append(joined: Pdf, other: Pdf, *, opens: bool) -> None:
    """Append pages with their tags (ISO 32000-1, 14.7.4.4). Pages of chunks have no annotations."""
    tags, other_tags = joined.Root.StructTreeRoot, other.Root.StructTreeRoot
    first_page, first_key = len(joined.pages), int(tags.ParentTreeNextKey)
    joined.pages.extend(other.pages)
    for page in joined.pages[first_page:]:
        page.obj.StructParents = int(page.obj.StructParents) + first_key
    whole, other_whole = tags.K[0], other_tags.K[0]
    del other_whole["/P"]  # or their tree's root would be copied too
    for element in other_whole.K if not opens else ():
        if element.get("/S") == Name.H1:  # a chapter: see templates/exports/meeting.typ
            element.S = Name.H2
    part = joined.copy_foreign(other_whole)
    part.S, part.P = Name.Part, whole
    whole.K.append(part)
    parents = NumberTree(tags.ParentTree)
    for key, elements in NumberTree(other_tags.ParentTree).items():
        parents[first_key + key] = joined.copy_foreign(elements)
    tags.ParentTreeNextKey = first_key + int(other_tags.ParentTreeNextKey)


def _lead(joined: Pdf, link: Any, places: Places) -> None:
    address = str(link.get("/A", {}).get("/URI", ""))
    if address.startswith("#"):
        title, page, y = places.of_link(address)
        link.Dest = _destination(joined, page, y)
        link.Contents = f"{title} {page}".strip()  # read aloud
        del link["/A"]


def _add_bookmarks(joined: Pdf, headings: Iterable[Heading]) -> None:
    with joined.open_outline() as outline:
        for heading in headings:
            title = " ".join(filter(None, (heading.title, heading.time)))
            destination = _destination(joined, heading.page, heading.y)
            level = outline.root if heading.level == 1 else outline.root[-1].children
            level.append(OutlineItem(title, destination))


def _destination(joined: Pdf, page: int, y: float) -> pikepdf.Array:
    sheet = joined.pages[page - 1]
    top = float(sheet.mediabox[3]) - y
    return pikepdf.make_page_destination(joined, page - 1, "XYZ", left=0, top=top)
