"""PDF by Typst: tagged, with bookmarks, contents, and links from what was found to the words.

The layout is templates/exports/meeting.typ. What people said reaches it as data in one JSON text,
never as source, so nothing in it can be run, read or fetched.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import typst

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
# Marks on one letter: no language has more (UAX #15, section 13), and each costs more than the
# one before. The others are left out.
_MOST_MARKS = 30
_LONG_RUN = re.compile(f"[^\x00-\x7f]{{{_MOST_MARKS},}}")
_PLACE_TO_BREAK = "\u200b"


def render(minutes: Minutes, options: Options, target: Path) -> Notes:
    """Write the file; the notes say what could not be shown.

    A document that the rules of PDF/UA-1 refuse is written without that promise.
    """
    shown = Shown(font_set())
    data = _data(document_of(minutes, options), minutes, options, shown)
    inputs = {"data": orjson.dumps(data).decode()}
    try:
        is_accessible = _compile(inputs, target)
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


def _compile(inputs: dict[str, str], target: Path) -> bool:
    """Write the PDF. Whether it keeps the rules of PDF/UA-1."""
    wanted: dict[str, Any] = {
        "input": str(LAYOUTS / "meeting.typ"),
        "output": str(target),
        "format": "pdf",
        "sys_inputs": inputs,
        "timestamp": 0,
    }
    try:
        _compiler().compile(**wanted, pdf_standards=["ua-1"])
    except typst.TypstError:
        _compiler().compile(**wanted)
        return False
    return True


def _forget() -> None:
    empty = str(LAYOUTS / "empty.typ")
    for _ in range(_FORGETS_AFTER):
        _compiler().compile(input=empty, format="pdf", sys_inputs=None)


def _data(document: Document, minutes: Minutes, options: Options, shown: Shown) -> dict[str, Any]:
    spoken = minutes.language or document.language
    leads_to = anchors(document)
    targets = set(leads_to.values())
    turns = sum(len(said) for _, _, said in document.chapters)
    text = _Text(shown)
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
        "labels": {name: shown(word) for name, word in document.labels.items()},
        "revision": document.revision,
        "pages": turns >= _CHAPTER_ON_ITS_OWN_PAGE,
        "parts": [_part(part, leads_to, text) for part in document.parts],
        "chapters": [
            {
                "title": text(title),
                "rtl": is_right_to_left(title),
                "time": time,
                "turns": [_turn(said, targets, text) for said in all_said],
            }
            for title, time, all_said in document.chapters
        ],
    }


class _Text:
    """A text as Typst gets it: every character with a glyph, and places to break."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown

    def __call__(self, text: str) -> str:
        return _UNBROKEN.sub(_with_breaks, _LONG_RUN.sub(self._with_few_marks, self._shown(text)))

    def _with_few_marks(self, run: re.Match[str]) -> str:
        kept, marks = [], 0
        for character in run[0]:
            marks = marks + 1 if unicodedata.category(character)[0] == "M" else 0
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
