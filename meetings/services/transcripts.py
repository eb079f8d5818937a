"""Taking in text that needs no transcription."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max, Min
from django.db.models.functions import Now

from core.accounts.actor import Actor
from core.events import services as events
from meetings.events import TRANSCRIPT_COMPLETED
from meetings.importers.values import ImportedSegment, ImportedTranscript, NotATranscript
from meetings.models import Analysis, Meeting, Transcript
from meetings.services import analysis as analysis_services
from meetings.services import clock
from meetings.services import meetings as meeting_services
from meetings.services.segments import Piece, copy_segments, create_speakers

ENGINE = "imported"


class Replaced(enum.StrEnum):
    """The parts of a meeting that a text replaces."""

    RECORDINGS = "recordings"
    TEXTS = "texts"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Imported:
    """The transcript that a text became, and the analysis of the meeting that includes it."""

    transcript: Transcript
    analysis: Analysis


def import_transcript(
    *,
    actor: Actor,
    meeting: Meeting,
    text: ImportedTranscript,
    language: str = "",
    replaces: Replaced | None = None,
) -> Imported:
    """Store a text, its own words unchanged, as one more part of the meeting or instead of others.

    The analysis is requested with it, so that the answer can name its job. The text's language is
    `language`, else its own, else the meeting's. Raises NotATranscript for a text without words,
    and NotFound when the meeting was deleted meanwhile.
    """
    if not text.segments:
        raise NotATranscript("The transcript holds no words.")
    with transaction.atomic():
        locked_meeting = meeting_services.lock_meeting(meeting, actor=actor)
        spoken = language or text.language or locked_meeting.language
        transcript = _create(locked_meeting, text, spoken)
        if replaces is not None:
            _replace(replaces, transcript)
        clock.update_offsets(locked_meeting)
        transcript.refresh_from_db(fields=["offset_ms"])
        speakers = create_speakers(transcript, (segment.speaker for segment in text.segments))
        copy_segments(transcript, (_piece(segment, speakers) for segment in text.segments))
        meeting_services.mark_held(locked_meeting)
        publish_completed(transcript, actor_id=actor.user.id)
        analysis = analysis_services.analyse_new_text(meeting=locked_meeting, actor=actor)
    return Imported(transcript, analysis)


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


def _create(meeting: Meeting, text: ImportedTranscript, language: str) -> Transcript:
    imported = meeting.transcripts.filter(recording=None)
    latest = imported.aggregate(latest=Max("version"))["latest"] or 0
    return Transcript.objects.create(
        organization_id=meeting.organization_id,
        meeting=meeting,
        position=clock.next_position(meeting),
        duration_ms=max(segment.end_ms or segment.start_ms or 0 for segment in text.segments),
        version=latest + 1,
        engine=ENGINE,
        language=language,
        segment_count=len(text.segments),
        word_count=sum(len(segment.text.split()) for segment in text.segments),
        speech_ms=sum(map(_spoken_ms, text.segments)),
        uncovered_speech_ms=0,
        notes=[note.to_json() for note in text.notes],
    )


def _spoken_ms(segment: ImportedSegment) -> int:
    """How long it was spoken; nothing is counted where the file says only when it began."""
    if segment.start_ms is None or segment.end_ms is None:
        return 0
    return segment.end_ms - segment.start_ms


def _replace(replaces: Replaced, transcript: Transcript) -> None:
    """Let the text count instead of the others; it takes the place of the first of them."""
    meeting = transcript.meeting
    replaced: list[Any] = []
    if replaces != Replaced.TEXTS:
        replaced.append(meeting.recordings)
    if replaces != Replaced.RECORDINGS:
        replaced.append(meeting.transcripts.filter(recording=None).exclude(id=transcript.id))
    for rows in replaced:
        current = rows.filter(replaced_by=None)
        first = current.aggregate(first=Min("position"))["first"]
        if first is not None:
            transcript.position = min(transcript.position, first)
        current.update(replaced_by=transcript, updated_at=Now())
    transcript.save(update_fields=["position", "updated_at"])


def _piece(segment: ImportedSegment, speakers: dict[str, UUID]) -> Piece:
    return Piece(
        text=segment.text,
        speaker_id=speakers.get(segment.speaker),
        start_ms=segment.start_ms,
        end_ms=segment.end_ms,
        confidence=segment.confidence,
        words=segment.bare_words(),
    )
