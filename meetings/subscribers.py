"""What meetings do when something has happened."""

from __future__ import annotations

import contextlib

from core import errors
from core.events.models import Event
from core.events.registry import subscribe
from meetings import queries
from meetings.models import Transcript
from meetings.services import analysis as analysis_services


@subscribe("transcript.completed")
def analyse_new_transcript(event: Event) -> None:
    """Every text is analysed once it is there. One that was deleted meanwhile needs nothing."""
    with contextlib.suppress(Transcript.DoesNotExist, errors.NotFound):
        transcript = queries.transcript_for_work(event.data["transcript_id"])
        analysis_services.analyse_new_transcript(transcript=transcript)
