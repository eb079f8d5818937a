"""WebVTT, each speaker as a voice."""

from __future__ import annotations

from pathlib import Path

from exports.renderers.captions import captions
from exports.renderers.minutes import Minutes
from exports.renderers.options import Options
from meetings.text.caption_files import webvtt


def render(minutes: Minutes, options: Options, target: Path) -> None:
    """Write the file. Raises NoTimes."""
    target.write_text(webvtt(captions(minutes, options)), "utf-8", newline="\n")
