"""WebVTT (https://www.w3.org/TR/webvtt1/), as Teams, Zoom, YouTube and Stream write it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from meetings.importers import cues
from meetings.importers.rolling import without_repetition
from meetings.importers.values import ParsedFile
from meetings.text.language_tags import base_language

_COMMENT = re.compile(r"(?:NOTE|STYLE|REGION)(?:\s|$)")
# "Language: en" in the head, "NOTE language:en-us" in files of Microsoft Stream.
_LANGUAGE = re.compile(r"(?:NOTE\s+)?language\s*:\s*(?P<tag>[a-z]{2,3})\b.*", re.IGNORECASE)


def read(text: str) -> ParsedFile:
    """The cues of a file, and the language that it names."""
    lines = text.split("\n")
    first = _end_of_head(lines)
    comments: list[cues.Block] = []
    found, unreadable = cues.read_cues(_without_comments(lines, first, comments), timing=cues.ARROW)
    headers = [*lines[1:first], *(block.lines[0] for block in comments)]
    tags = (match["tag"] for line in headers if (match := _LANGUAGE.fullmatch(line)))
    language = base_language(next(tags, ""))
    return cues.parsed(without_repetition(found), unreadable, language=language, labels_last=False)


def _end_of_head(lines: Sequence[str]) -> int:
    """The index of the first line after the head, which ends at an empty line or at a cue."""
    for index in range(1, len(lines)):
        following = lines[index + 1] if index + 1 < len(lines) else ""
        if not lines[index] or "-->" in lines[index] or "-->" in following:
            return index
    return len(lines)


def _without_comments(
    lines: Sequence[str], first: int, comments: list[cues.Block]
) -> Iterator[cues.Block]:
    for block in cues.blocks(lines, timing=cues.ARROW, first=first):
        if _COMMENT.match(block.lines[0]) and not any("-->" in line for line in block.lines[:2]):
            comments.append(block)
        else:
            yield block
