"""Transcribes a whole recording on this machine, without a queue or a database."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from pathlib import Path

from meetings.media.model_files import ModelFacts
from meetings.transcription import engine
from meetings.transcription.assemble import TranscriptText, assemble
from meetings.transcription.whisper import load_transcriber
from meetings.transcription.window_text import WindowText
from meetings.transcription.windows import Window


def transcribe_file(
    path: Path,
    *,
    model: ModelFacts,
    processes: int = 1,
    language: str | None = None,
    on_progress: Callable[[float], None],
) -> TranscriptText:
    """Return the text of a recording; the number of processes does not change it.

    `on_progress` gets the share that is done, 0 to 1. Raises the errors of `engine.plan_recording`.
    """
    plan = engine.plan_recording(path)
    on_progress(0.0)
    texts: list[WindowText] = []
    # Forked threads of a loaded model would hang; spawned processes load their own.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context) as pool:
        work: list[Future[list[WindowText]]] = [
            pool.submit(_transcribe_batch, path, batch, model, language)
            for batch in engine.batches(plan)
        ]
        for done in as_completed(work):
            texts += done.result()
            on_progress(len(texts) / len(plan.windows))
    return assemble(texts, plan.notes)


def _transcribe_batch(
    path: Path, windows: list[Window], model: ModelFacts, language: str | None
) -> list[WindowText]:
    texts: list[WindowText] = []
    transcriber = load_transcriber(model)
    engine.transcribe_windows(
        path, windows, transcriber=transcriber, language=language, on_window=texts.append
    )
    return texts
