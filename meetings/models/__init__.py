"""What a meeting is made of: one file per noun."""

from __future__ import annotations

from meetings.models.meeting import Meeting, MeetingStatus
from meetings.models.recording import Recording
from meetings.models.transcript import Segment, Transcript

__all__ = ["Meeting", "MeetingStatus", "Recording", "Segment", "Transcript"]
