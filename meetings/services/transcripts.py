"""Taking in text that needs no transcription."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from core.accounts.actor import Actor
from core.events import services as events
from meetings.events import TRANSCRIPT_COMPLETED
from meetings.models import Meeting, Transcript
from meetings.services import meetings as meeting_services
from meetings.services.segments import Piece, copy_segments, create_speakers

ENGINE = "imported"


class SpokenText(TypedDict):
    """What somebody said. The times are both there or both None."""

    text: str
    speaker: str
    start_ms: int | None
    end_ms: int | None


def import_transcript(
    *, actor: Actor, meeting: Meeting, segments: Sequence[SpokenText], language: str = ""
) -> Transcript:
    """Keep a text as the meeting's newest transcript, its own words unchanged.

    Without a language it is said to be in the meeting's. Raises NotFound when the meeting was
    deleted meanwhile.
    """
    with transaction.atomic():
        held = meeting_services.lock_meeting(meeting, actor=actor)
        transcript = _create(held, segments, language or held.language)
        speakers = create_speakers(transcript, (segment["speaker"] for segment in segments))
        copy_segments(transcript, (_piece(segment, speakers) for segment in segments))
        meeting_services.mark_held(held)
        publish_completed(transcript, actor_id=actor.user.id)
    return transcript


def publish_completed(transcript: Transcript, *, actor_id: UUID | None) -> None:
    """Tell the world that the text can be read."""
    events.publish(
        TRANSCRIPT_COMPLETED,
        organization_id=transcript.organization_id,
        data={
            "meeting_id": str(transcript.meeting_id),
            "recording_id": str(transcript.recording_id) if transcript.recording_id else None,
            "transcript_id": str(transcript.id),
            "language": transcript.language,
            "segment_count": transcript.segment_count,
        },
        actor_id=actor_id,
    )


def _create(meeting: Meeting, segments: Sequence[SpokenText], language: str) -> Transcript:
    imported = meeting.transcripts.filter(recording=None)
    latest = imported.aggregate(latest=Max("version"))["latest"] or 0
    return Transcript.objects.create(
        organization_id=meeting.organization_id,
        meeting=meeting,
        version=latest + 1,
        engine=ENGINE,
        language=language,
        segment_count=len(segments),
        word_count=sum(len(segment["text"].split()) for segment in segments),
        speech_ms=sum((s["end_ms"] or 0) - (s["start_ms"] or 0) for s in segments),
        uncovered_speech_ms=0,
    )


def _piece(segment: SpokenText, speakers: dict[str, UUID]) -> Piece:
    return Piece(
        text=segment["text"],
        speaker_id=speakers.get(segment["speaker"]),
        start_ms=segment["start_ms"],
        end_ms=segment["end_ms"],
    )
