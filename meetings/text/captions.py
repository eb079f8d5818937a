"""Captions: words in pieces that can be read while they are heard, as SubRip and as WebVTT.

WebVTT: https://www.w3.org/TR/webvtt1/. SubRip has no standard; this writes what all players read.
Two lines of 42 characters and at most six seconds are what subtitlers agree on.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

LINE_CHARACTERS = 42
_LINES = 2
_LONGEST_MS = 6_000
_PAUSE_MS = 1_500
_SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？")  # noqa: RUF001 - Chinese and Japanese

# Start and end in ms, and the word as it is written, with the space before it if it has one.
TimedWord = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Cue:
    """What is shown from one moment (ms) to another."""

    start_ms: int
    end_ms: int
    text: str
    speaker: str = ""


def cues_of(words: Sequence[TimedWord], *, speaker: str = "") -> Iterator[Cue]:
    """Words in order, cut where a cue is full, a sentence ends in its last third, or all pause."""
    held: list[TimedWord] = []
    for word in words:
        if held and _is_over(held, word):
            yield _cue(held, speaker)
            held = []
        held.append(word)
    if held:
        yield _cue(held, speaker)


def srt(cues: Iterable[Cue]) -> str:
    """A SubRip file. Empty lines and arrows in a text would end its cue, so none are left."""
    blocks = (
        f"{number}\n{_clock(cue.start_ms, ',')} --> {_clock(cue.end_ms, ',')}\n{_srt_text(cue)}\n"
        for number, cue in enumerate(cues, start=1)
    )
    return "\n".join(blocks)


def webvtt(cues: Iterable[Cue]) -> str:
    """A WebVTT file, each speaker as a voice."""
    blocks = (
        f"{_clock(cue.start_ms, '.')} --> {_clock(cue.end_ms, '.')}\n{_webvtt_text(cue)}\n"
        for cue in cues
    )
    return "\n".join(["WEBVTT\n", *blocks])


def _is_over(held: list[TimedWord], word: TimedWord) -> bool:
    text = _joined(held)
    full = LINE_CHARACTERS * _LINES
    return (
        len(_wrapped(text + word[2])) > _LINES
        or word[1] - held[0][0] > _LONGEST_MS
        or word[0] - held[-1][1] > _PAUSE_MS
        or (text.endswith(_SENTENCE_ENDS) and len(text) > full * 2 / 3)
    )


def _cue(held: list[TimedWord], speaker: str) -> Cue:
    start, end = held[0][0], max(word[1] for word in held)
    # A cue of no length is invalid WebVTT and shown by no player.
    return Cue(start, max(end, start + 1), _joined(held), speaker)


def _joined(words: list[TimedWord]) -> str:
    return " ".join("".join(word[2] for word in words).split())


def _srt_text(cue: Cue) -> str:
    text = f"{cue.speaker}: {cue.text}" if cue.speaker else cue.text
    return "\n".join(_wrapped(text.replace("-->", "->")))


def _webvtt_text(cue: Cue) -> str:
    text = "\n".join(html.escape(line, quote=False) for line in _wrapped(cue.text))
    voice = html.escape(" ".join(cue.speaker.split()), quote=False)
    return f"<v {voice}>{text}" if voice else text


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, LINE_CHARACTERS, break_on_hyphens=False) or [""]


def _clock(milliseconds: int, mark: str) -> str:
    seconds, ms = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{mark}{ms:03}"
