"""The speech model, loaded once, and one meeting transcribed once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from meetings.media import model_files
from meetings.transcription import engine, whisper
from meetings.transcription.window_text import WindowText
from meetings.transcription.windows import Plan
from tests.bench import recordings


@pytest.fixture(scope="session")
def transcriber() -> whisper.WhisperTranscriber:
    """The packaged model."""
    return whisper.load_transcriber(model_files.find_model())


@pytest.fixture(scope="session")
def planned_meeting() -> tuple[Plan, list[int]]:
    """The plan of the meeting with two speakers, and what was told of the progress."""
    told: list[int] = []
    return engine.plan_recording(recordings.TWO_SPEAKERS, on_progress=told.append), told


@pytest.fixture(scope="session")
def meeting_plan(planned_meeting: tuple[Plan, list[int]]) -> Plan:
    return planned_meeting[0]


@pytest.fixture(scope="session")
def meeting_texts(transcriber: whisper.WhisperTranscriber, meeting_plan: Plan) -> list[WindowText]:
    """The text of the first two windows of the meeting with two speakers."""
    texts: list[WindowText] = []
    engine.transcribe_windows(
        recordings.TWO_SPEAKERS,
        meeting_plan.windows[:2],
        transcriber=transcriber,
        on_window=texts.append,
    )
    return texts


@pytest.fixture(scope="session")
def utterances(meeting_plan: Plan) -> list[dict[str, Any]]:
    """What is really said in those two windows, with `start` and `end` in seconds."""
    beside = recordings.TWO_SPEAKERS.with_suffix(".ref.json")
    end = meeting_plan.windows[1].end_ms / 1000
    return [said for said in json.loads(beside.read_text("utf-8")) if said["end"] <= end + 0.5]
