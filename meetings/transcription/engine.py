"""Plans the transcription of a recording and transcribes windows, in any process or order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from meetings.media import decode, probe
from meetings.media.container import AnyPath
from meetings.media.vad import SAMPLE_RATE, Samples
from meetings.transcription import sources
from meetings.transcription import windows as windows_module
from meetings.transcription.whisper import Transcriber
from meetings.transcription.window_text import WindowText
from meetings.transcription.windows import Plan, Window

_REPORT_EVERY_MS = 60_000
# The sound may end a little before the header says without anything being lost.
_MISSING_MS = 1_000
_LEAST_BATCHES = 8
_LARGEST_BATCH = 5


def plan_recording(
    path: AnyPath,
    *,
    max_ms: int | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Plan:
    """Read the whole recording as a stream and divide it into windows.

    `on_progress` gets the ms decoded so far about once a minute of sound; an error from it stops
    the work. Raises the errors of `probe`, TooLong for sound over `max_ms`.
    """
    facts = probe.probe(path)
    listening = sources.listen(path, _progress_watcher(max_ms, on_progress))
    plan = windows_module.plan(listening.chances, listening.duration_ms)
    missing_ms = 0 if facts.duration_is_estimate else facts.duration_ms - plan.duration_ms
    return replace(
        plan,
        windows=tuple(
            replace(
                window,
                from_start=not listening.is_seekable,
                mix=listening.mix(window.start_ms, window.end_ms),
            )
            for window in plan.windows
        ),
        damaged_packets=listening.damage.packets,
        lost_ms=listening.damage.lost_ms + (missing_ms if missing_ms > _MISSING_MS else 0),
        notes=listening.notes,
    )


def transcribe_windows(
    path: AnyPath,
    windows: Sequence[Window],
    *,
    transcriber: Transcriber,
    on_window: Callable[[WindowText], None],
    language: str | None = None,
) -> None:
    """Transcribe these windows one after the other and pass each text to `on_window`.

    An error from `on_window` stops the work. A window's text depends on the recording and the
    window only, not on which others are asked for.
    """
    for mix in dict.fromkeys(window.mix for window in windows):
        with decode.MixReader(path, mix) as reader:
            same = [window for window in windows if window.mix == mix]
            for window, samples in _with_samples(reader, same):
                on_window(transcriber.transcribe_window(samples, window, language))


def batches(plan: Plan) -> list[list[Window]]:
    """Return consecutive windows in groups, for workers that share one recording.

    A short recording is cut finely, or the last group would leave all workers but one idle; a long
    one coarsely, because a group costs a job and an opened file.
    """
    windows = list(plan.windows)
    size = min(max(len(windows) // _LEAST_BATCHES, 1), _LARGEST_BATCH)
    return [windows[first : first + size] for first in range(0, len(windows), size)]


def _with_samples(
    reader: decode.MixReader, windows: Sequence[Window]
) -> Iterator[tuple[Window, Samples]]:
    """Yield each window with its samples."""
    for window in windows:
        if not window.from_start:
            yield window, reader.read(window.start_ms, window.end_ms)
    unseekable = sorted((w for w in windows if w.from_start), key=lambda window: window.start_ms)
    if unseekable:
        yield from _with_samples_from_start(reader, unseekable)


def _with_samples_from_start(
    reader: decode.MixReader, windows: list[Window]
) -> Iterator[tuple[Window, Samples]]:
    """Yield windows that no seek can find, in one pass from the start of the recording."""
    first_ms = windows[0].start_ms
    blocks = reader.stream(start_ms=first_ms, end_ms=windows[-1].end_ms)
    # `buffer` begins with the sample of this number, counted from the first window's start.
    number, buffer = 0, np.zeros(0, np.float32)
    for window in windows:
        start, end = (
            (ms - first_ms) * SAMPLE_RATE // 1000 for ms in (window.start_ms, window.end_ms)
        )
        while number + len(buffer) < end and (block := next(blocks, None)) is not None:
            number, buffer = _drop_before(start, number, np.concatenate([buffer, block]))
        number, buffer = _drop_before(start, number, buffer)
        yield window, buffer[: end - number]


def _drop_before(start: int, number: int, buffer: Samples) -> tuple[int, Samples]:
    cut = min(max(start - number, 0), len(buffer))
    return number + cut, buffer[cut:]


def _progress_watcher(
    max_ms: int | None, on_progress: Callable[[int], None] | None
) -> sources.Watcher:
    """Return a watcher that raises TooLong and reports progress, which never goes back."""
    furthest_ms = reported_ms = 0

    def watch(decoded_ms: int) -> None:
        nonlocal furthest_ms, reported_ms
        probe.check_length(decoded_ms, max_ms)
        furthest_ms = max(furthest_ms, decoded_ms)
        if on_progress and abs(decoded_ms - reported_ms) >= _REPORT_EVERY_MS:
            reported_ms = decoded_ms
            on_progress(furthest_ms)

    return watch
