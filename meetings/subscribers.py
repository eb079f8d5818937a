"""What meetings do when something has happened."""

from __future__ import annotations

import contextlib

from core import errors
from core.events.models import Event
from core.events.registry import subscribe
from meetings.models import Meeting
from meetings.services import analysis as analysis_services


@subscribe("transcript.completed")
@subscribe("recording.deleted")
def analyse_new_text(event: Event) -> None:
    """A meeting is analysed once its text has changed. A deleted one needs nothing."""
    with contextlib.suppress(Meeting.DoesNotExist, errors.NotFound):
        meeting = Meeting.objects.get(id=event.data["meeting_id"])
        analysis_services.analyse_new_text(meeting=meeting)
