"""WebVTT (https://www.w3.org/TR/webvtt1/), each speaker as a voice."""

from __future__ import annotations

from pathlib import Path

from exports.renderers.captions import Caption, captions, shown_rows
from exports.renderers.minutes import Minutes
from exports.renderers.options import Options
from exports.renderers.times import caption_clock

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def render(minutes: Minutes, options: Options, target: Path) -> None:
    """Write the file. Raises NoTimes."""
    found = captions(minutes, options)
    with target.open("w", encoding="utf-8", newline="\n") as file:
        file.write("WEBVTT\n")
        for caption in found:
            if shown_rows(caption):
                file.write(f"\n{_block(caption)}\n")


def _block(caption: Caption) -> str:
    start, end = caption_clock(caption.start_ms, "."), caption_clock(caption.end_ms, ".")
    rows = "\n".join(shown_rows(caption)).translate(_ESCAPES)
    voice = f"<v {caption.speaker.translate(_ESCAPES)}>" if caption.speaker else ""
    return f"{start} --> {end}\n{voice}{rows}"
