"""Every read of meetings that joins, prefetches or pages."""

from __future__ import annotations

from uuid import UUID

from django.db.models import F, Prefetch, QuerySet

from core import errors
from core.jobs import queries as job_queries
from core.jobs.models import Job
from meetings.models import Meeting, Recording, Segment, Transcript

# Text that somebody sent in goes before what a machine heard in a recording.
SHOWN_FIRST = (F("recording__position").asc(nulls_first=True), F("version").desc())


class TranscriptNotReady(errors.NotFound):
    """The meeting is there; its text is not, or not yet."""

    code = "transcript.not_ready"
    sentence = "There is no transcript yet. Its recording's job tells how far it is."


def with_people(meetings: QuerySet[Meeting]) -> QuerySet[Meeting]:
    """Meetings with what a list shows of each."""
    return meetings.select_related("organizer")


def whole(meetings: QuerySet[Meeting]) -> QuerySet[Meeting]:
    """Meetings with their recordings and how those fare; a constant number of queries."""
    recordings = with_file_and_job(Recording.objects.order_by("position"))
    return with_people(meetings).prefetch_related(Prefetch("recordings", recordings))


def with_file_and_job(recordings: QuerySet[Recording]) -> QuerySet[Recording]:
    """Recordings with stored file, meeting and the job that knows its children's progress."""
    return recordings.select_related("stored_file", "meeting").prefetch_related(
        Prefetch("job", job_queries.with_children_progress(Job.objects.all()))
    )


def recording_for_work(recording_id: str) -> Recording:
    """A recording as a worker needs it. Raises Recording.DoesNotExist once it is deleted."""
    return Recording.objects.select_related("stored_file", "meeting").get(id=recording_id)


def transcript_of(
    meeting: Meeting, *, recording_id: UUID | None = None, transcript_id: UUID | None = None
) -> Transcript:
    """The transcript to show, or the one named: text sent in, else the first recording's newest.

    Raises TranscriptNotReady when there is none.
    """
    found = Transcript.objects.filter(meeting=meeting)
    if transcript_id is not None:
        found = found.filter(id=transcript_id)
    if recording_id is not None:
        found = found.filter(recording_id=recording_id)
    transcript = found.order_by(*SHOWN_FIRST).first()
    if transcript is None:
        raise TranscriptNotReady
    return transcript


def segments_of(transcript: Transcript) -> QuerySet[Segment]:
    """The transcript's segments, for paging by position."""
    return Segment.objects.filter(transcript=transcript)
