"""SBV, the captions of YouTube and Google Meet: two times with a comma, then lines of text."""

from __future__ import annotations

import re

from meetings.importers import cues
from meetings.importers.rolling import without_repetition
from meetings.importers.values import ParsedFile

TIMES = re.compile(
    r"\s*(?P<start>\d{1,4}:\d\d:\d\d\.\d{1,3}),(?P<end>\d{1,4}:\d\d:\d\d\.\d{1,3})\s*"
)


def read(text: str) -> ParsedFile:
    """The cues of a file. Names stand where the speaker changes."""
    lines = [line.rstrip() for line in text.split("\n")]
    found, unreadable = cues.read_cues(cues.blocks(lines, timing=TIMES), timing=TIMES)
    return cues.parsed(without_repetition(found), unreadable, labels_last=True)
