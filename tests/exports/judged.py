"""`python -m tests.exports.judged FOLDER`: the files that programs of others judge."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from exports.renderers import formats
from exports.renderers.minutes import Minutes
from exports.renderers.options import Options
from tests.exports.sample import HOSTILE, LANGUAGES, minutes, with_text_everywhere


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


if __name__ == "__main__":
    write(Path(sys.argv[1]))
