"""A meeting's captions, cut as its options say."""

from __future__ import annotations

from exports.renderers.minutes import Minutes
from exports.renderers.options import Options
from meetings.text import captions as cutter
from meetings.text.captions import Caption


def captions(minutes: Minutes, options: Options, *, named: bool = False) -> list[Caption]:
    """All captions in order; with `named` the speaker's name stands before the words.

    Raises meetings.text.captions.NoTimes.
    """
    limits = cutter.Limits(
        shortest_ms=round(options.minimum_duration * 1000),
        longest_ms=round(options.maximum_duration * 1000),
        row_cells=options.maximum_characters_per_row,
        rows=options.maximum_rows_per_caption,
    )
    found = cutter.captions(minutes.segments, limits, named=named and options.speakers)
    if not options.speakers:
        for row in (row for caption in found for row in caption.rows):
            row.speaker = ""
    return found
