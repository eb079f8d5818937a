"""Meetings as staff see them. What was said is not for staff: it is counted, not shown.

Rows that hold little but words (segments, speakers, summaries, topics, evidence) have no pages; the
pages of what they belong to count them.
"""

from __future__ import annotations

from meetings.admin import analyses, items, meetings, recordings, transcripts

__all__ = ["analyses", "items", "meetings", "recordings", "transcripts"]
