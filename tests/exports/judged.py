"""`python -m tests.exports.judged [--compare] FOLDER`: the files that programs of others judge.

With --compare, whether the words that pdftotext found are those that were said. Arabic letters are
left out: pdftotext turns the two letters of a ligature around, and fonts whose dots are glyphs of
their own give letters twice. How they look is what tests and pictures of the pages are for.
"""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

from exports.renderers import formats
from exports.renderers.minutes import Minutes
from exports.renderers.options import Options
from tests.exports.sample import HOSTILE, LANGUAGES, TEXTS, minutes, with_text_everywhere


def everyone() -> Minutes:
    """A meeting in which nine languages are spoken, and what nobody should say."""
    spoken = [segment for code in LANGUAGES for segment in minutes(code, segments=4).segments]
    for text in HOSTILE.values():
        spoken += with_text_everywhere(text).segments[:1]
    timed = (
        replace(segment, start_ms=at * 4000, end_ms=at * 4000 + 3800)
        for at, segment in enumerate(spoken)
    )
    return replace(minutes(segments=4), segments=tuple(timed), topics=())


def write(folder: Path) -> None:
    """The meeting as `judged.pdf` and `judged.vtt`."""
    meeting = formats.cleaned(everyone())
    for kind in ("pdf", "vtt"):
        formats.render(formats.SINGLE[kind], meeting, Options(), folder / f"judged.{kind}")


COMPARED = tuple(code for code in LANGUAGES if code not in ("ar", "ur"))
# Spaces, the marks of direction that pdftotext adds, and places to break.
NO_WORDS = re.compile("[\\s\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069]")


def missing(folder: Path) -> list[str]:
    """What was said and is not in judged.txt."""
    found = NO_WORDS.sub("", (folder / "judged.txt").read_text("utf-8"))
    said = [(code, text) for code in COMPARED for text in TEXTS[code][1:]]
    return [f"{code}: {text}" for code, text in said if NO_WORDS.sub("", text) not in found]


if __name__ == "__main__":
    *compare, name = sys.argv[1:]
    if compare:
        sys.exit("\n".join(missing(Path(name))) or 0)
    write(Path(name))
