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


class RecordingDeleted(TypedDict):
    """`revision` is the meeting's after the deletion."""

    meeting_id: str
    recording_id: str
    revision: int


class TranscriptCompleted(TypedDict):
    """`recording_id` is null for a text that came without a recording."""

    meeting_id: str
    recording_id: str | None
    transcript_id: str
    language: str
    segment_count: int


class AnalysisCompleted(TypedDict):
    """`status` is succeeded or, when some section is missing, partial.

    `transcript_ids` are the transcripts it has read, in order, `transcript_id` the first of them.
    """

    meeting_id: str
    transcript_id: str | None
    transcript_ids: list[str]
    analysis_id: str
    engine: str
    status: str


class DecisionConfirmed(TypedDict):
    meeting_id: str
    decision_id: str


class ActionItemCompleted(TypedDict):
    meeting_id: str
    action_item_id: str


MEETING_CREATED = declare(
    "meeting.created",
    data=MeetingChanged,
    example={"meeting_id": ID, "revision": 1},
    description="A meeting was entered.",
)
MEETING_UPDATED = declare(
    "meeting.updated",
    data=MeetingChanged,
    example={"meeting_id": ID, "revision": 2},
    description="Something about a meeting was changed.",
)
MEETING_DELETED = declare(
    "meeting.deleted",
    data=MeetingDeleted,
    example={"meeting_id": ID},
    description="A meeting was deleted with all that belonged to it.",
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
    description="A recording was accepted and waits for its transcription.",
)
RECORDING_DELETED = declare(
    "recording.deleted",
    data=RecordingDeleted,
    example={"meeting_id": ID, "recording_id": ID, "revision": 4},
    description="A recording was deleted with its transcripts and all that rested on them.",
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
    description="The text of a meeting can be read.",
)
ANALYSIS_COMPLETED = declare(
    "analysis.completed",
    data=AnalysisCompleted,
    example={
        "meeting_id": ID,
        "transcript_id": ID,
        "transcript_ids": [ID],
        "analysis_id": ID,
        "engine": "embedded 1",
        "status": "succeeded",
    },
    description="What a meeting comes to can be read, all of it or some sections.",
)
DECISION_CONFIRMED = declare(
    "decision.confirmed",
    data=DecisionConfirmed,
    example={"meeting_id": ID, "decision_id": ID},
    description="A person confirmed that something was decided.",
)
ACTION_ITEM_COMPLETED = declare(
    "action_item.completed",
    data=ActionItemCompleted,
    example={"meeting_id": ID, "action_item_id": ID},
    description="Something that had to be done is done.",
)
