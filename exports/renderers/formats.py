"""Every format there is: its ending, its type, the module that makes it, and what that needs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

from exports.renderers.clean import clean, is_visible, one_line, without_invisible
from exports.renderers.document import unnamed
from exports.renderers.minutes import Minutes
from exports.renderers.notes import Notes
from exports.renderers.options import Options
from exports.renderers.process import render_apart

# Part of what makes a file the same: raise it with every change of what files look like.
TEMPLATE_VERSION = "6"
BUNDLE = "zip"
_OFFICE = "application/vnd.openxmlformats-officedocument"
_LONGEST_NAME = 80
_MOST_BYTES = 255  # of a name, on most file systems
# Devices of Windows, whatever follows their name's first full stop.
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_RESERVED = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\.|$)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file; its name is its ending.

    `module` has `render(minutes, options, target)`. It is loaded where files are made: a web
    process that only names formats stays small. Captions are cut by the time of each word.
    A document has the lists of people. A heavy one is rendered in a process of its own.
    """

    name: str
    media_type: str
    module: str
    is_captions: bool = False
    is_document: bool = False
    is_heavy: bool = False


_ALONE = (
    Format("txt", "text/plain; charset=utf-8", "plain_text", is_document=True),
    Format("md", "text/markdown; charset=utf-8", "markdown", is_document=True),
    Format("html", "text/html; charset=utf-8", "web_page", is_document=True),
    Format("srt", "application/x-subrip", "subrip", is_captions=True),
    Format("vtt", "text/vtt; charset=utf-8", "webvtt", is_captions=True),
    Format("json", "application/json", "json_document"),
    Format("csv", "text/csv; charset=utf-8", "comma_separated"),
    Format("pdf", "application/pdf", "pdf", is_document=True, is_heavy=True),
    Format("docx", f"{_OFFICE}.wordprocessingml.document", "word", is_document=True, is_heavy=True),
    Format("xlsx", f"{_OFFICE}.spreadsheetml.sheet", "workbook", is_document=True),
)
SINGLE = {one.name: one for one in _ALONE}
MEDIA_TYPES = {**{one.name: one.media_type for one in _ALONE}, BUNDLE: "application/zip"}
NAMES = tuple(MEDIA_TYPES)


def formats_in(name: str, options: Options) -> tuple[Format, ...]:
    """The format of this name, or those of a bundle. Raises KeyError for one that is not."""
    names = options.formats if name == BUNDLE else (name,)
    return tuple(SINGLE[each] for each in names)


def needs_times(name: str, options: Options) -> bool:
    """Whether nothing of it can be made of a text without times."""
    return all(kind.is_captions for kind in formats_in(name, options))


def render(kind: Format, minutes: Minutes, options: Options, target: Path) -> Notes:
    """Write one file of `cleaned` minutes.

    Raises NoTimes for captions of a text without times, TooMuch for what has no room.
    """
    if kind.is_heavy:
        notes = render_apart(kind.module, minutes, options, target)
    else:
        make: Callable[[Minutes, Options, Path], Notes | None] = import_module(
            f"exports.renderers.{kind.module}"
        ).render
        notes = make(minutes, options, target) or Notes()
    return replace(notes, people_not_named=unnamed(minutes, options)) if kind.is_document else notes


def cleaned(minutes: Minutes) -> Minutes:
    """Minutes as renderers want them: without what no file can hold."""
    return clean(minutes)


def filename_of(minutes: Minutes, ending: str) -> str:
    """A name for people, that every system can open: the day and the title."""
    title = re.sub(r'[\\/:*?"<>|\x00-\x1f]+', " ", one_line(clean(minutes.title)))
    title = title if is_visible(title) else ""
    day = f"{minutes.starts_at:%Y-%m-%d} " if minutes.starts_at else ""
    stem = " ".join(without_invisible(f"{day}{title}").split())[:_LONGEST_NAME]
    room = _MOST_BYTES - len(f".{ending}")
    stem = stem.encode()[:room].decode(errors="ignore").strip(" .")
    if not stem or _RESERVED.match(stem):
        stem = f"meeting {stem}".rstrip()
    return f"{stem}.{ending}"
