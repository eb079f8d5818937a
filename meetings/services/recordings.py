"""Taking in recordings and asking for their transcription."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from core import errors
from core.accounts.actor import Actor
from core.events import services as events
from core.files import services as files
from core.files.incoming import Incoming
from core.files.models import StoredFile
from core.jobs import services as jobs
from meetings.events import RECORDING_UPLOADED
from meetings.media.probe import AudioFacts, probe
from meetings.models import Meeting, Recording
from meetings.services import meetings as meeting_services
from meetings.transcription.model_files import find_model

KIND = "meetings.transcribe_recording"
MS_PER_HOUR = 3_600_000


class AlreadyTranscribed(errors.Conflict):
    """A retry would only repeat a transcript that is there."""

    code = "recording.already_transcribed"
    sentence = "This recording has a transcript by the current engine already."


class LanguageNotKnown(errors.Invalid):
    """A language that the installed speech model does not know."""

    code = "recording.language_not_known"
    sentence = "The speech model of this installation does not know that language."


@dataclass(frozen=True, slots=True)
class Accepted:
    """A recording that was taken in. `is_new` is false when the meeting had these bytes before."""

    recording: Recording
    is_new: bool
    is_duplicate: bool


def add_recording(
    *, actor: Actor, meeting: Meeting, incoming: Incoming, filename: str, language: str
) -> Accepted:
    """Check that the upload is audio, keep it, and ask for its transcription.

    The same bytes again in the same meeting give the recording that is there; in another meeting
    of the organization they give a new recording on the same stored file. Raises the refusals of
    `meetings.media.probe`, and NotFound when the meeting was deleted meanwhile.
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
        recording = _create(held, stored, facts, filename=filename, language=language)
        _start(recording, actor)
        _publish(recording, actor)
        meeting_services.touch(held)
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


def _check_language(language: str) -> None:
    if language and language not in find_model(settings.ASR_MODEL_DIR or None).languages:
        raise LanguageNotKnown(fields={"language": [LanguageNotKnown.sentence]})


def _create(
    meeting: Meeting, stored: StoredFile, facts: AudioFacts, *, filename: str, language: str
) -> Recording:
    return Recording.objects.create(
        organization_id=meeting.organization_id,
        meeting=meeting,
        stored_file=stored,
        position=meeting.recordings.count(),
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
    )
    recording.save(update_fields=["job", "updated_at"])


def _with_job(recording: Recording) -> Recording:
    return Recording.objects.select_related("job", "stored_file").get(id=recording.id)


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
