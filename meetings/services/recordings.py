"""Taking in recordings, asking for their transcription, and deleting them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from core import errors
from core.accounts.actor import Actor
from core.events import services as events
from core.files import services as files
from core.files.incoming import Incoming
from core.files.models import StoredFile
from core.jobs import services as jobs
from core.notifications import services as notifications
from meetings import queries
from meetings.events import RECORDING_DELETED, RECORDING_UPLOADED
from meetings.media.model_files import find_model
from meetings.media.probe import AudioFacts, probe
from meetings.models import AnalysisTranscript, Evidence, Meeting, Recording, Summary
from meetings.services import clock
from meetings.services import meetings as meeting_services

KIND = "meetings.transcribe_recording"
MS_PER_HOUR = 3_600_000


class AlreadyTranscribed(errors.Conflict):
    """A retry would only repeat a transcript that is there."""

    code = "recording.already_transcribed"
    message = "This recording has a transcript by the current engine already."


class LanguageNotKnown(errors.Invalid):
    """A language that the installed speech model does not know."""

    code = "recording.language_not_known"
    message = "The speech model of this installation does not know that language."


@dataclass(frozen=True, slots=True)
class Accepted:
    """A recording that was taken in. `is_new` is false when the meeting had these bytes before."""

    recording: Recording
    is_new: bool
    is_duplicate: bool


def add_recording(
    *,
    actor: Actor,
    meeting: Meeting,
    incoming: Incoming,
    filename: str,
    language: str,
    started_at: datetime | None = None,
) -> Accepted:
    """Check that the upload is audio, keep it, and ask for its transcription.

    Without `started_at` it begins where the recordings before it have ended. The same bytes again
    in the same meeting give the recording that is there; in another meeting of the organization
    they give a new recording on the same stored file. Raises the refusals of
    `meetings.media.probe`, StartsTooFarApart, and NotFound when the meeting was deleted meanwhile.
    """
    _check_language(language)
    facts = probe(incoming.path, max_ms=int(settings.RECORDING_MAX_HOURS * MS_PER_HOUR))
    with (
        files.placing(
            incoming, organization_id=meeting.organization_id, media_type=facts.media_type
        ) as placed,
        transaction.atomic(),
    ):
        held = meeting_services.lock_meeting(meeting, actor=actor)
        twin = held.recordings.filter(stored_file__sha256=incoming.sha256).first()
        if twin is not None:
            return Accepted(_with_job(twin), is_new=False, is_duplicate=True)
        stored = placed.keep()
        recording = _create(
            held, stored, facts, filename=filename, language=language, started_at=started_at
        )
        clock.update_offsets(held)
        recording.refresh_from_db(fields=["offset_ms"])
        _start(recording, actor)
        _publish(recording, actor)
        meeting_services.mark_held(held)
    return Accepted(recording, is_new=True, is_duplicate=stored.references > 1)


def retry_transcription(*, actor: Actor, recording: Recording) -> Recording:
    """Ask for the transcription of the same bytes once more; while one is active, that one answers.

    Raises AlreadyTranscribed when the current engine's transcript exists.
    """
    engine = find_model(settings.ASR_MODEL_DIR or None).name
    with transaction.atomic():
        recording.meeting = meeting_services.lock_meeting(recording.meeting, actor=actor)
        if recording.transcripts.filter(engine=engine).exists():
            raise AlreadyTranscribed
        _start(recording, actor)
    return recording


def delete_recording(*, actor: Actor, recording: Recording) -> None:
    """Delete a recording with its transcripts and all that rests on them; the meeting stays.

    Its jobs go too, and by a job its bytes unless another recording uses them. Raises NotFound once
    it is gone, or is no longer to be seen by the actor.
    """
    with transaction.atomic():
        meeting = meeting_services.lock_meeting(recording.meeting, actor=actor)
        rows = meeting.recordings.select_related("stored_file")
        locked_recording = rows.filter(id=recording.id).first()
        if locked_recording is None:
            raise errors.NotFound
        _delete_items(locked_recording)
        other = AnalysisTranscript.objects.filter(analysis=OuterRef("pk"), transcript__isnull=False)
        other = other.exclude(transcript__recording=locked_recording)
        analyses = meeting.analyses.filter(~Exists(other))  # of this recording alone
        notifications.forget_jobs([recording.id, *analyses.values_list("id", flat=True)])
        analyses.delete()
        locked_recording.delete()
        clock.update_offsets(meeting)
        meeting_services.release_files([locked_recording.stored_file], actor)
        meeting_services.touch(meeting)
        events.publish(
            RECORDING_DELETED,
            organization_id=meeting.organization_id,
            data={
                "meeting_id": str(meeting.id),
                "recording_id": str(recording.id),
                "revision": meeting.revision + 1,
            },
            actor_id=actor.user.id,
        )


def _delete_items(recording: Recording) -> None:
    """Delete what was found in the recording's words alone, and summaries that quote them."""
    for model, name in queries.EVIDENCE_OF.items():
        quotes = Evidence.objects.filter(**{name: OuterRef("pk")})
        inside = Q(segment__transcript__recording=recording)
        items = model.objects.filter(Exists(quotes.filter(inside)), meeting=recording.meeting_id)
        if model is not Summary:
            items = items.filter(~Exists(quotes.exclude(inside)))
        items.delete()


def _check_language(language: str) -> None:
    if language and language not in find_model(settings.ASR_MODEL_DIR or None).languages:
        raise LanguageNotKnown(fields={"language": [LanguageNotKnown.message]})


def _create(
    meeting: Meeting,
    stored: StoredFile,
    facts: AudioFacts,
    *,
    filename: str,
    language: str,
    started_at: datetime | None,
) -> Recording:
    return Recording.objects.create(
        organization_id=meeting.organization_id,
        meeting=meeting,
        stored_file=stored,
        position=clock.next_position(meeting),
        started_at=started_at,
        filename=filename,
        language=language,
        media_type=facts.media_type,
        codec=facts.codec,
        duration_ms=facts.duration_ms,
        channels=facts.channels,
        sample_rate=facts.sample_rate,
    )


def _start(recording: Recording, actor: Actor) -> None:
    recording.job = jobs.enqueue(
        kind=KIND,
        origin=jobs.Origin(recording.organization_id, recording.meeting.team_id, actor.user.id),
        arguments={"recording_id": str(recording.id)},
        subject_id=recording.id,
        dedup_key=str(recording.id),
        size=recording.duration_ms,
    )
    recording.save(update_fields=["job", "updated_at"])


def _with_job(recording: Recording) -> Recording:
    found: Recording = queries.with_file_and_job(Recording.objects.all()).get(id=recording.id)
    return found


def _publish(recording: Recording, actor: Actor) -> None:
    events.publish(
        RECORDING_UPLOADED,
        organization_id=recording.organization_id,
        data={
            "meeting_id": str(recording.meeting_id),
            "recording_id": str(recording.id),
            "media_type": recording.media_type,
            "duration_ms": recording.duration_ms,
        },
        actor_id=actor.user.id,
    )
