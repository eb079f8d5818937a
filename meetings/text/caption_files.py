"""Captions as SubRip and as WebVTT (https://www.w3.org/TR/webvtt1/).

SubRip has no standard; this writes what all players read.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter

from meetings.text.captions import Caption

# SubRip cannot escape: the marks of an arrow or a tag are replaced by similar ones.
_SIMILAR_MARKS = str.maketrans({"<": "‹", ">": "›", "{": "(", "}": ")"})  # noqa: RUF001
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def subrip(captions: Iterable[Caption]) -> str:
    """A SubRip file; names are in the rows of captions that were cut as `named`."""
    blocks = (
        f"{number}\n{_clock(caption.start_ms, ',')} --> {_clock(caption.end_ms, ',')}\n"
        f"{_subrip_text(caption)}\n\n"
        for number, caption in enumerate(captions, start=1)
    )
    return "".join(blocks)


def webvtt(captions: Iterable[Caption]) -> str:
    """A WebVTT file, each speaker as a voice."""
    blocks = (
        f"\n{_clock(caption.start_ms, '.')} --> {_clock(caption.end_ms, '.')}\n{_voices(caption)}\n"
        for caption in captions
    )
    return "".join(["WEBVTT\n", *blocks])


def _subrip_text(caption: Caption) -> str:
    rows = "\n".join(text for _, text in _rows(caption))
    return rows.replace("-->", "->").translate(_SIMILAR_MARKS)


def _voices(caption: Caption) -> str:
    """The rows of each speaker as a span; the end of the only one may be left out."""
    by_voice = [
        (speaker.translate(_ESCAPES), "\n".join(text for _, text in rows).translate(_ESCAPES))
        for speaker, rows in groupby(_rows(caption), key=itemgetter(0))
    ]
    end = "</v>" if len(by_voice) > 1 else ""
    return "\n".join(f"<v {voice}>{rows}{end}" if voice else rows for voice, rows in by_voice)


def _rows(caption: Caption) -> list[tuple[str, str]]:
    """Speakers and rows without the spaces around them; an empty one would end the caption."""
    return [(row.speaker, row.text.strip()) for row in caption.rows if row.text.strip()]


def _clock(ms: int, mark: str) -> str:
    minutes, rest = divmod(ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds, thousandths = divmod(rest, 1000)
    return f"{hours:02}:{minutes:02}:{seconds:02}{mark}{thousandths:03}"
