"""PDF by Typst: tagged, with bookmarks, contents, and links from what was found to the words.

The layout is templates/exports/meeting.typ. What people said reaches it as data in one JSON text,
never as source, so nothing in it can be run, read or fetched.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
import typst

from exports.renderers import pdf_chunks
from exports.renderers.clean import has_no_width
from exports.renderers.document import Cell, Document, Part, Said, anchors, document_of
from exports.renderers.fonts import Shown, families_for, font_set
from exports.renderers.minutes import Minutes
from exports.renderers.notes import Notes
from exports.renderers.options import Options, PageSize
from exports.renderers.places import LAYOUTS
from exports.renderers.turns import is_right_to_left

_PAPER = {PageSize.A4: "a4", PageSize.LETTER: "us-letter"}
# Scripts whose letters reach far above and below the line.
_TALL = frozenset({"ar", "fa", "ur", "hi", "mr", "ne", "bn", "ta", "te", "th", "my", "km"})
# Typst forgets what it computed after this many further documents; until then it keeps memory.
_FORGETS_AFTER = 12
_CHAPTER_ON_ITS_OWN_PAGE = 400  # turns from which on: Typst then lays chapters out side by side

# A text that goes on without a space may break after so many characters. Scripts that need no
# space to break are left as they are.
_UNBROKEN = re.compile(
    "[^\\s\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\uffef\U0001f000-\U0003ffff]{50,}"
)
_BREAK_EVERY = 25
# Marks on one letter, and signs without a width after it: no language has more (UAX #15, section
# 13), and each costs more than the one before. The others are left out.
_MOST_MARKS = 30
_LONG_RUN = re.compile(f"[^\x00-\x7f]{{{_MOST_MARKS},}}")
_PLACE_TO_BREAK = "\u200b"
# Burmese letters each stacked below the one before: no word has more than two in a row, and Typst
# takes the square of their number, as all of them are no wider than one. They stand side by side.
_STACK = re.compile("(?:[\u1000-\u1021\u103f][\u103a-\u103e]*\u1039){3,}")
_STACKER, _SIDE_BY_SIDE = "\u1039", "\u1039\u200c"


def render(minutes: Minutes, options: Options, target: Path) -> Notes:
    """Write the file; the notes say what could not be shown.

    A document that the rules of PDF/UA-1 refuse is written without that promise.
    """
    shown = Shown(font_set())
    document = document_of(minutes, options)
    text = _Text(shown)
    leads_to = anchors(document)
    targets = set(leads_to.values())
    front = _front(document, minutes, options, text, leads_to)
    if pdf_chunks.is_long(document):
        is_accessible = _compile_chunks(front, document, text, targets, target)
    else:
        data = {**front, "chapters": _chapters(document.chapters, text, targets), "chunk": None}
        try:
            is_accessible = _compile(data, target)
        finally:
            _forget()
    return Notes(missing_characters=shown.replaced, is_accessible=is_accessible)


@cache
def _compiler() -> typst.Compiler:
    """One per process: it reads the fonts once."""
    folders = sorted({str(file.parent) for file in font_set().files})
    return typst.Compiler(
        str(LAYOUTS / "empty.typ"),
        root=str(LAYOUTS),
        # Its own Latin letters only where nothing else is there.
        font_paths=typst.Fonts(
            include_system_fonts=False, include_embedded_fonts=not folders, font_paths=folders
        ),
        package_path=str(LAYOUTS / "packages"),
        package_cache_path=str(LAYOUTS / "packages"),
    )


def _compile(data: dict[str, Any], target: Path, *, accessible: bool = True) -> bool:
    """Write the PDF. Whether it keeps the rules of PDF/UA-1."""
    wanted: dict[str, Any] = {
        "input": str(LAYOUTS / "meeting.typ"),
        "output": str(target),
        "format": "pdf",
        "sys_inputs": {"data": orjson.dumps(data).decode()},
        "timestamp": 0,
    }
    if accessible:
        with contextlib.suppress(typst.TypstError):
            _compiler().compile(**wanted, pdf_standards=["ua-1"])
            return True
    _compiler().compile(**wanted)
    return False


def _forget() -> None:
    empty = str(LAYOUTS / "empty.typ")
    for _ in range(_FORGETS_AFTER):
        _compiler().compile(input=empty, format="pdf", sys_inputs=None)


def _compile_chunks(
    front: dict[str, Any], document: Document, text: _Text, targets: set[int], target: Path
) -> bool:
    """Write the PDF of a long document chunk by chunk. Whether it keeps the rules of PDF/UA-1.

    The front is compiled twice: to count its pages, and with the page numbers of its contents.
    """
    headings = [
        pdf_chunks.Heading(document.labels["transcript"], "", document.is_right_to_left, level=1),
        *(
            pdf_chunks.Heading(text(title), time, is_right_to_left(title), level=2)
            for title, time, _ in document.chapters
            if title
        ),
    ]
    places = pdf_chunks.Places(headings)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        files = [Path(folder) / "front.pdf"]
        front = {**front, "chapters": []}
        _compile_chunk({**front, "chunk": places.front()}, files[0], places)
        is_accessible = True
        for number, chapters in enumerate(pdf_chunks.chunks(document.chapters)):
            chunk = {"first_page": places.pages + 1, "opens": number == 0, "contents": []}
            data = {**front, "parts": [], "chapters": _chapters(chapters, text, targets)}
            files.append(Path(folder) / f"{number}.pdf")
            is_accessible &= _compile_chunk({**data, "chunk": chunk}, files[-1], places)
        data = {**front, "chunk": places.front()}
        is_accessible = _compile_chunk(data, files[0], accessible=is_accessible)
        # Loaded for long documents only: that takes longer than a short one does.
        import_module("exports.renderers.pdf_join").join(files, target, places)
    return is_accessible


def _compile_chunk(
    data: dict[str, Any],
    target: Path,
    places: pdf_chunks.Places | None = None,
    *,
    accessible: bool = True,
) -> bool:
    try:
        is_accessible = _compile(data, target, accessible=accessible)
        if places is not None:
            places.add(orjson.loads(_compiler().query("<places>", field="value", one=True)))
    finally:
        _forget()
    return is_accessible


def _front(
    document: Document,
    minutes: Minutes,
    options: Options,
    text: _Text,
    leads_to: dict[int, int],
) -> dict[str, Any]:
    """What the layout gets, without the chapters."""
    spoken = minutes.language or document.language
    turns = sum(len(said) for _, _, said in document.chapters)
    return {
        "lang": document.language,
        "dir": "rtl" if document.is_right_to_left else "ltr",
        "tall": bool({spoken.partition("-")[0].lower(), document.language} & _TALL),
        "fonts": families_for(spoken if minutes.language else document.language),
        "paper": _PAPER[options.page_size],
        "title": text(document.title),
        "rtl": is_right_to_left(document.title),
        "held": document.held,
        "organizer": text(minutes.organizer),
        "labels": {name: text(word) for name, word in document.labels.items()},
        "revision": document.revision,
        "pages": turns >= _CHAPTER_ON_ITS_OWN_PAGE,
        "parts": [_part(part, leads_to, text) for part in document.parts],
    }


def _chapters(
    chapters: Iterable[tuple[str, str, Sequence[Said]]], text: _Text, targets: set[int]
) -> list[dict[str, Any]]:
    return [
        {
            "title": text(title),
            "rtl": is_right_to_left(title),
            "time": time,
            "turns": [_turn(said, targets, text) for said in turns],
        }
        for title, time, turns in chapters
    ]


class _Text:
    """A text as Typst gets it: every character with a glyph, and places to break."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown

    def __call__(self, text: str) -> str:
        text = _LONG_RUN.sub(self._with_few_marks, self._shown(text))
        if _STACKER in text:
            text = _STACK.sub(lambda run: run[0].replace(_STACKER, _SIDE_BY_SIDE), text)
        return _UNBROKEN.sub(_with_breaks, text)

    def _with_few_marks(self, run: re.Match[str]) -> str:
        kept, marks = [], 0
        for character in run[0]:
            marks = marks + 1 if has_no_width(character) else 0
            if marks <= _MOST_MARKS:
                kept.append(character)
        self._shown.replaced += len(run[0]) - len(kept)
        return "".join(kept)


def _with_breaks(run: re.Match[str]) -> str:
    text = run[0]
    return _PLACE_TO_BREAK.join(
        text[at : at + _BREAK_EVERY] for at in range(0, len(text), _BREAK_EVERY)
    )


def _part(part: Part, leads_to: dict[int, int], text: Callable[[str], str]) -> dict[str, Any]:
    grid = part.grid
    return {
        "title": text(part.title),
        "paragraphs": [[text(each), is_right_to_left(each)] for each in part.paragraphs],
        "heads": [text(head) for head in grid.heads] if grid and any(grid.heads) else [],
        "wide": list(grid.wide) if grid else [],
        "rows": [[_cell(cell, leads_to, text) for cell in row] for row in grid.rows]
        if grid
        else [],
    }


def _cell(cell: Cell, leads_to: dict[int, int], text: Callable[[str], str]) -> dict[str, Any]:
    return {
        "t": text(cell.text),
        "m": cell.mark,
        "r": is_right_to_left(cell.text),
        "to": None if cell.segment is None else leads_to.get(cell.segment),
    }


def _turn(said: Said, targets: set[int], text: Callable[[str], str]) -> dict[str, Any]:
    return {
        "id": said.first if said.first in targets else None,
        "who": text(said.speaker),
        "time": said.time,
        "said": [[mark, text(words), is_right_to_left(words)] for mark, words in said.pieces],
    }
