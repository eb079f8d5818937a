"""SubRip, the speaker's name before the words."""

from __future__ import annotations

from pathlib import Path

from exports.renderers.captions import captions
from exports.renderers.minutes import Minutes
from exports.renderers.options import Options
from meetings.text.caption_files import subrip


def render(minutes: Minutes, options: Options, target: Path) -> None:
    """Write the file. Raises NoTimes."""
    text = subrip(captions(minutes, options, named=True))
    target.write_text(text, "utf-8", newline="\n")
