"""SRT. There is no standard; this is what all players read."""

from __future__ import annotations

from pathlib import Path

from exports.renderers.captions import Caption, captions, shown_rows
from exports.renderers.minutes import Minutes
from exports.renderers.options import Options
from exports.renderers.times import caption_clock

# There is no way to escape: what players take for an arrow or a tag gets a likeness.
_LIKENESSES = str.maketrans({"<": "‹", ">": "›", "{": "(", "}": ")"})  # noqa: RUF001


def render(minutes: Minutes, options: Options, target: Path) -> None:
    """Write the file. Raises NoTimes."""
    found = [caption for caption in captions(minutes, options, named=True) if shown_rows(caption)]
    with target.open("w", encoding="utf-8", newline="\n") as file:
        for number, caption in enumerate(found, start=1):
            file.write(f"{number}\n{_block(caption)}\n\n")


def _block(caption: Caption) -> str:
    start, end = caption_clock(caption.start_ms, ","), caption_clock(caption.end_ms, ",")
    rows = "\n".join(shown_rows(caption)).replace("-->", "->").translate(_LIKENESSES)
    return f"{start} --> {end}\n{rows}"
