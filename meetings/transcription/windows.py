"""Plans a transcription: windows of at most a minute that are transcribed independently.

The plan depends on the sound only, so the same recording always gets the same windows and
`Window.key` identifies a finished window for good.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from meetings.media import vad
from meetings.media.mix import Mix, TrackMix
from meetings.media.vad import FRAME_MS, Samples
from meetings.text.notes import Note
from meetings.transcription.sources import SHORTEST_SPEECH_FRAMES

LONGEST_WINDOW_MS = 60_000

_LONGEST = LONGEST_WINDOW_MS // FRAME_MS
# A cut wants a pause of 0.4 s; each side keeps up to 0.2 s of it, for soft first and last sounds.
_GOOD_PAUSE = 13
_PAD = 6

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of the recording and the speech in it, all in ms from the recording's start.

    `from_start` says that the file's clock jumps or is wrong, so that the stretch can only be found
    by decoding everything before it. `mix` is what to use of the recording's tracks and channels.
    """

    start_ms: int
    end_ms: int
    speech: tuple[Span, ...]
    from_start: bool = False
    mix: Mix = ()

    @property
    def key(self) -> str:
        """Names the window within its recording, the same in every run."""
        return f"{self.start_ms}-{self.end_ms}"

    @property
    def speech_ms(self) -> int:
        return sum(end - start for start, end in self.speech)

    def to_json(self) -> dict[str, Any]:
        return {
            "start_ms": self.start_ms,
            "end_ms": self.end_ms,
            "speech": [list(span) for span in self.speech],
            "from_start": self.from_start,
            "mix": [part.to_json() for part in self.mix],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        speech = tuple((int(start), int(end)) for start, end in data["speech"])
        mix = tuple(TrackMix.from_json(part) for part in data["mix"])
        return cls(data["start_ms"], data["end_ms"], speech, data["from_start"], mix)


@dataclass(frozen=True, slots=True)
class Plan:
    """What there is to transcribe. Stretches without speech belong to no window.

    `lost_ms` is time for which the file holds no sound that can be decoded, `damaged_packets` the
    packets that were skipped. `notes` state what is left out.
    """

    windows: tuple[Window, ...]
    duration_ms: int
    speech_ms: int
    damaged_packets: int = 0
    lost_ms: int = 0
    notes: tuple[Note, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "windows": [window.to_json() for window in self.windows],
            "duration_ms": self.duration_ms,
            "speech_ms": self.speech_ms,
            "damaged_packets": self.damaged_packets,
            "lost_ms": self.lost_ms,
            "notes": [note.to_json() for note in self.notes],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(
            windows=tuple(Window.from_json(window) for window in data["windows"]),
            duration_ms=data["duration_ms"],
            speech_ms=data["speech_ms"],
            damaged_packets=data["damaged_packets"],
            lost_ms=data["lost_ms"],
            notes=tuple(Note.from_json(note) for note in data["notes"]),
        )


def plan(chances: Samples, duration_ms: int) -> Plan:
    """Cut sound into windows of at most 60 s, from the chance of speech in each of its frames."""
    windows = tuple(
        _window_in_ms(start, end, speech, duration_ms) for start, end, speech in cut(chances)
    )
    return Plan(
        windows=windows,
        duration_ms=duration_ms,
        speech_ms=sum(window.speech_ms for window in windows),
    )


def cut(chances: Samples) -> list[tuple[int, int, list[Span]]]:
    """Windows as frame numbers `(start, end, speech)`, from the chance of speech in each frame."""
    waiting = [span for span in vad.spans(chances) if span[1] - span[0] >= SHORTEST_SPEECH_FRAMES]
    waiting.reverse()
    found, floor = [], 0
    while waiting:
        start = max(waiting[-1][0] - _PAD, floor)
        end = _end_of_window(start, waiting, chances)
        speech = _pop_until(end, waiting)
        stop = min(speech[-1][1] + _PAD, end)
        found.append((start, stop, _padded(speech, start, stop)))
        floor = end
    return found


def _end_of_window(start: int, waiting: list[Span], chances: Samples) -> int:
    """The frame to cut at, given the spans that wait (the next one last)."""
    limit = start + _LONGEST
    if waiting[0][1] <= limit:
        return min(waiting[0][1] + _PAD, limit, len(chances))
    middle = start + _LONGEST // 2
    best = None
    for (_, quiet), (sound, _) in zip(waiting[::-1], waiting[-2::-1], strict=False):
        if quiet >= limit:
            break
        pause_end = min(sound, limit)
        if quiet >= middle and pause_end - quiet >= _GOOD_PAUSE:
            best = (quiet + pause_end) // 2
    if best is not None:
        return best
    return middle + int(np.argmin(chances[middle:limit]))


def _pop_until(end: int, waiting: list[Span]) -> list[Span]:
    """Remove from `waiting` what lies before `end`, splitting the span that straddles it."""
    taken = []
    while waiting and waiting[-1][0] < end:
        start, stop = waiting.pop()
        taken.append((start, min(stop, end)))
        if stop > end:
            waiting.append((end, stop))
            break
    return taken


def _padded(speech: list[Span], start: int, stop: int) -> list[Span]:
    """Widen each span by up to 0.2 s; spans that touch become one."""
    wide: list[Span] = []
    for begin, end in speech:
        first, last = max(begin - _PAD, start), min(end + _PAD, stop)
        if wide and first <= wide[-1][1]:
            wide[-1] = (wide[-1][0], last)
        else:
            wide.append((first, last))
    return wide


def _window_in_ms(start: int, end: int, speech: list[Span], duration_ms: int) -> Window:
    # The last frame may reach past the last sample.
    def ms(frame: int) -> int:
        return min(frame * FRAME_MS, duration_ms)

    return Window(ms(start), ms(end), tuple((ms(first), ms(last)) for first, last in speech))
