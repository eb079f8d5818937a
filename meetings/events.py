"""What meetings tell the rest of the house and the world."""

from __future__ import annotations

from typing import TypedDict

from core.events.registry import declare

ID = "01a20120-2c33-720d-813f-2661fc926788"


class MeetingChanged(TypedDict):
    """`revision` is the meeting's after the change."""

    meeting_id: str
    revision: int


class MeetingDeleted(TypedDict):
    meeting_id: str


class RecordingUploaded(TypedDict):
    meeting_id: str
    recording_id: str
    media_type: str
    duration_ms: int


class TranscriptCompleted(TypedDict):
    meeting_id: str
    recording_id: str
    transcript_id: str
    language: str
    segment_count: int


MEETING_CREATED = declare(
    "meeting.created",
    data=MeetingChanged,
    example={"meeting_id": ID, "revision": 1},
    meaning="A meeting was entered.",
)
MEETING_UPDATED = declare(
    "meeting.updated",
    data=MeetingChanged,
    example={"meeting_id": ID, "revision": 2},
    meaning="Something about a meeting was changed.",
)
MEETING_DELETED = declare(
    "meeting.deleted",
    data=MeetingDeleted,
    example={"meeting_id": ID},
    meaning="A meeting was deleted with all that belonged to it.",
)
RECORDING_UPLOADED = declare(
    "recording.uploaded",
    data=RecordingUploaded,
    example={
        "meeting_id": ID,
        "recording_id": ID,
        "media_type": "audio/ogg",
        "duration_ms": 170000,
    },
    meaning="A recording was accepted and waits for its transcription.",
)
TRANSCRIPT_COMPLETED = declare(
    "transcript.completed",
    data=TranscriptCompleted,
    example={
        "meeting_id": ID,
        "recording_id": ID,
        "transcript_id": ID,
        "language": "en",
        "segment_count": 42,
    },
    meaning="The text of a recording can be read.",
)
