"""What a meeting is made of: one file per noun."""

from __future__ import annotations

from meetings.models.action_item import ActionItem
from meetings.models.analysis import (
    Analysis,
    AnalysisSection,
    AnalysisStatus,
    AnalysisTranscript,
)
from meetings.models.decision import Decision
from meetings.models.evidence import Evidence
from meetings.models.item import ItemStatus
from meetings.models.meeting import Meeting, MeetingStatus
from meetings.models.participant import Participant, ParticipantRole
from meetings.models.recording import Recording
from meetings.models.summary import Summary
from meetings.models.topic import Topic
from meetings.models.transcript import Segment, Speaker, Transcript

__all__ = [
    "ActionItem",
    "Analysis",
    "AnalysisSection",
    "AnalysisStatus",
    "AnalysisTranscript",
    "Decision",
    "Evidence",
    "ItemStatus",
    "Meeting",
    "MeetingStatus",
    "Participant",
    "ParticipantRole",
    "Recording",
    "Segment",
    "Speaker",
    "Summary",
    "Topic",
    "Transcript",
]
