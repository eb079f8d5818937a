"""The background work of meetings: which queue, how long, how often again.

Every process knows these kinds, and only speech workers load what transcribes.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from core.jobs.kinds import job
from core.jobs.run import Run
from core.relay import chores
from meetings import queries
from meetings.analysis.findings import Section
from meetings.services import analysis as analysis_services
from meetings.services import meetings as meeting_services


@job("meetings.transcribe_recording", queue="transcription", time_limit_seconds=1800)
def transcribe_recording(run: Run, *, recording_id: str, **_: Any) -> None:
    """Plan a recording's transcription and, once its windows are done, write the transcript.

    Half an hour lets the longest recording be listened through; each batch of windows is a child
    with five minutes of its own.
    """
    from meetings.services import transcription  # noqa: PLC0415

    recording = queries.recording_for_work(recording_id)
    transcription.transcribe_recording(run=run, recording=recording)


@job("meetings.transcribe_windows", queue="transcription")
def transcribe_windows(
    run: Run, *, recording_id: str, windows: list[dict[str, Any]], **_: Any
) -> None:
    """Transcribe one batch of a recording's windows."""
    from meetings.services import transcription  # noqa: PLC0415
    from meetings.transcription.windows import Window  # noqa: PLC0415

    recording = queries.recording_for_work(recording_id)
    transcription.transcribe_windows(
        run=run, recording=recording, windows=[Window.from_json(window) for window in windows]
    )


@job("meetings.analyse_transcript", queue="analysis", time_limit_seconds=60)
def analyse_transcript(run: Run, *, analysis_id: str, sections: list[str], **_: Any) -> None:
    """Hand out the sections of an analysis and, once all have ended, say what became of them."""
    analysis_services.analyse_transcript(
        run=run,
        analysis=queries.analysis_for_work(analysis_id),
        sections=[Section(section) for section in sections],
    )


@job("meetings.analyse_section", queue="analysis")
def analyse_section(run: Run, *, analysis_id: str, section: str, **_: Any) -> None:
    """Find one section of an analysis."""
    analysis_services.analyse_section(
        run=run, analysis=queries.analysis_for_work(analysis_id), section=Section(section)
    )


chores.register(
    "meetings.past_meetings",
    every_seconds=300,
    work=partial(meeting_services.mark_past_held, limit=200),
)
