"""The background work of meetings: which queue, how long, how often again."""

from __future__ import annotations

from typing import Any

from core.jobs.kinds import job
from core.jobs.run import Run
from meetings import queries
from meetings.services import transcription
from meetings.transcription.windows import Window


@job("meetings.transcribe_recording", queue="transcription", attempts=5, time_limit_seconds=1800)
def transcribe_recording(run: Run, *, recording_id: str, **_: Any) -> None:
    """Plan a recording's transcription and, once its windows are done, write the transcript.

    Half an hour lets the longest recording be listened through; each batch of windows is a child
    with five minutes of its own.
    """
    recording = queries.recording_for_work(recording_id)
    transcription.transcribe_recording(run=run, recording=recording)


@job("meetings.transcribe_windows", queue="transcription", attempts=5, time_limit_seconds=300)
def transcribe_windows(
    run: Run, *, recording_id: str, windows: list[dict[str, Any]], **_: Any
) -> None:
    """Transcribe one batch of a recording's windows."""
    recording = queries.recording_for_work(recording_id)
    transcription.transcribe_windows(
        run=run, recording=recording, windows=[Window.from_json(window) for window in windows]
    )
