"""SubRip: it has no standard, so commas and dots, counters and none, tags and none are read."""

from __future__ import annotations

from meetings.importers import cues
from meetings.importers.rolling import without_repetition
from meetings.importers.values import ParsedFile


def read(text: str) -> ParsedFile:
    """The cues of a file. Names stand where the speaker changes."""
    # Lines of white space are empty ones: no editor shows the difference.
    lines = [line.rstrip() for line in text.split("\n")]
    found, unreadable = cues.read_cues(cues.blocks(lines, timing=cues.ARROW), timing=cues.ARROW)
    return cues.parsed(without_repetition(found), unreadable, labels_last=True)
