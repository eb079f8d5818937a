"""The speech engine alone, without database or workers: accuracy, speed, memory.

Speed is compared with faster-whisper called directly on the same file with the same model, weights
in 8 bits, 5 beams and its own voice filter: once without word times, as it comes, and once with
them, as the pipeline has. Runs take turns. The three hours are planned whole and every twentieth
window is transcribed; `BENCH_WHOLE=1` does them all.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from meetings.media import model_files
from meetings.transcription import assemble, engine, whisper
from meetings.transcription.window_text import WindowText
from meetings.transcription.windows import Window
from tests.bench import recordings
from tests.bench.harness import Compare, Goal, fastest

_SAMPLE_EVERY = 20


def measure() -> list[Goal]:
    """The goals of the engine; about ten minutes on two cores."""
    return [*_accuracy(), *_speed(), *_sharing(), *_memory()]


def transcribe(path: Path) -> str:
    """The text of a recording, by the whole pipeline in this process."""
    plan = engine.plan_recording(path)
    texts: list[WindowText] = []
    _transcribe_into(path, plan.windows, texts)
    return assemble.assemble(texts).text


def _transcribe_into(path: Path, windows: tuple[Window, ...], texts: list[WindowText]) -> None:
    transcriber = whisper.load_transcriber(model_files.find_model())
    engine.transcribe_windows(path, windows, transcriber=transcriber, on_window=texts.append)


def _accuracy() -> list[Goal]:
    found = []
    for path, limit in (
        (recordings.JFK, 0),
        (recordings.TWO_SPEAKERS, 17),
        (recordings.FOUR_SPEAKERS, 17),
    ):
        errors = recordings.wer(recordings.said_in(path), transcribe(path))
        found.append(Goal(f"word errors, {path.stem}", limit, errors, "%"))
    return found


def _speed() -> list[Goal]:
    path = recordings.FOUR_SPEAKERS
    seconds = engine.plan_recording(path).duration_ms / 1000
    model = _bare_model()
    took = fastest(
        {
            "bare": lambda: _bare_text(model, path),
            "alike": lambda: _bare_text(model, path, word_timestamps=True),
            "ours": lambda: transcribe(path),
        }
    )
    like = took["ours"] / took["alike"]
    return [
        Goal("pipeline / bare faster-whisper", 1.25, took["ours"] / took["bare"]),
        # For information: bare with word times, which the pipeline has.
        Goal("pipeline / bare with word times", 1.25, like, enforced=False),
        Goal("pipeline time / audio time", 0.08, took["ours"] / seconds, enforced=False),
    ]


def _bare_model() -> Any:
    from faster_whisper import WhisperModel

    path = model_files.find_model().path
    return WhisperModel(path, device="cpu", compute_type="int8", cpu_threads=1)


def _bare_text(model: Any, path: Path, **options: Any) -> str:
    segments, _ = model.transcribe(
        str(path), vad_filter=True, condition_on_previous_text=False, **options
    )
    return " ".join(segment.text for segment in segments)


def _sharing() -> list[Goal]:
    """One process and two on the same recording of ten minutes."""
    path = recordings.repeated(recordings.FOUR_SPEAKERS, 600)
    shares = engine.batches(engine.plan_recording(path))
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        list(pool.map(_warm, range(2)))
        took = fastest(
            {
                "one": lambda: [pool.submit(_share, path, share).result() for share in shares],
                "two": lambda: list(pool.map(_share, [path] * len(shares), shares)),
            }
        )
    gain = took["one"] / took["two"]
    return [Goal("two processes / one, 10 minutes", 1.4, gain, "x", Compare.AT_LEAST)]


def _warm(_: int) -> None:
    whisper.load_transcriber(model_files.find_model())
    # Long enough for the pool to give the other process its turn.
    time.sleep(2)


def _share(path: Path, windows: list[Window]) -> int:
    texts: list[WindowText] = []
    _transcribe_into(path, tuple(windows), texts)
    return len(texts)


def _memory() -> list[Goal]:
    short = _peak_of(recordings.repeated(recordings.FOUR_SPEAKERS, 900), 1)
    every = 1 if os.environ.get("BENCH_WHOLE") else _SAMPLE_EVERY
    long = _peak_of(recordings.repeated(recordings.FOUR_SPEAKERS, 10_800), every)
    return [
        Goal("peak memory, 15 minutes", 600, short, "MB"),
        Goal("peak memory, 3 hours less 15 minutes", 50, long - short, "MB"),
    ]


def _peak_of(path: Path, every: int) -> float:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_peak_after, path, every).result()


def _peak_after(path: Path, every: int) -> float:
    """Plan the recording and transcribe every n-th window; this process's peak in MB."""
    plan = engine.plan_recording(path)
    _transcribe_into(path, plan.windows[::every], [])
    return peak_megabytes()


def peak_megabytes() -> float:
    """The most memory this process has held at once."""
    status = Path("/proc/self/status")
    if status.is_file():
        # getrusage would count what the parent held when it forked.
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024**2 if sys.platform == "darwin" else peak / 1024
