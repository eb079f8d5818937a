"""`python -m tests.exports.judged [--compare] FOLDER`: the files that programs of others judge.

With --compare, whether the words that pdftotext found are those that were said, letter by letter in
all nine languages. In Arabic and Urdu the order of letters on the page is compared (UAX #9): that
is all pdftotext sees, and it guesses whether the full stop beside a figure was written before it.
"""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

from bidi import get_display

from exports.renderers import formats
from exports.renderers.labels import RIGHT_TO_LEFT
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


# Spaces, the marks of direction that pdftotext adds, and places to break.
NO_WORDS = re.compile("[\\s\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069]")


def missing(folder: Path) -> list[str]:
    """What was said and is not in judged.txt."""
    text = (folder / "judged.txt").read_text("utf-8")
    written, placed = NO_WORDS.sub("", text), NO_WORDS.sub("", _as_placed(text))
    return [
        f"{code}: {words}"
        for code in LANGUAGES
        for words in TEXTS[code][1:]
        if (
            NO_WORDS.sub("", str(get_display(words, base_dir="R"))) not in placed
            if code in RIGHT_TO_LEFT
            else NO_WORDS.sub("", words) not in written
        )
    ]


def _as_placed(text: str) -> str:
    """Letters from left to right: pdftotext marks what it turned around, here it turns back."""
    for (
        mark
    ) in "\u202a\u202b":  # figures and Latin letters within a line to the left, then the line
        text = re.sub(f"{mark}([^\u202c]*)\u202c", lambda turned: turned[1][::-1], text)
    return text


if __name__ == "__main__":
    *compare, name = sys.argv[1:]
    if compare:
        sys.exit("\n".join(missing(Path(name))) or 0)
    write(Path(name))
