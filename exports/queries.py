"""Every read of exports that joins or aggregates, and the one that builds a meeting's minutes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse

from core.accounts.actor import Actor, actor_of
from core.db.clock import database_now
from core.files import links
from core.files.models import StoredFile
from core.http.address import public_url
from core.jobs.models import Job
from core.jobs.subjects import Work
from exports.models import Export
from exports.renderers.minutes import (
    Item,
    Minutes,
    Note,
    Part,
    Participant,
    Task,
    Topic,
)
from meetings import queries as meeting_queries
from meetings.models import Meeting, Transcript
from meetings.models import Segment as TranscriptSegment
from meetings.models.item import ItemStatus
from meetings.text.notes import Note as TranscriptNote
from meetings.text.segments import Segment, TimedWord

NOT_INCLUDED = "recordings_not_included"  # the code of a note
STOOD_BY = (ItemStatus.CONFIRMED, ItemStatus.EDITED)


def whole(exports: QuerySet[Export]) -> QuerySet[Export]:
    """Exports with all that is shown of each."""
    return exports.select_related("job", "stored_file", "meeting", "requested_by")


def export_for_work(export_id: str) -> Export:
    """An export as a worker needs it. Raises Export.DoesNotExist when it or its meeting is gone."""
    found: Export = Export.objects.get(id=export_id, meeting__isnull=False)
    return found


def export_behind(*, export_id: UUID, token: str) -> tuple[Export, StoredFile]:
    """The export that a signed link opens, and its file. Raises LinkInvalid or LinkExpired."""
    stored_file_id = links.check_link(Export, row_id=export_id, token=token)
    # The meeting may have been deleted since, and the export with it.
    rows = whole(Export.objects.filter(meeting__isnull=False))
    export: Export | None = rows.filter(id=export_id, stored_file_id=stored_file_id).first()
    if export is None or export.stored_file is None:
        raise links.LinkInvalid
    return export, export.stored_file


def link_to(export: Export, moment: datetime) -> links.Link | None:
    """A link made at `moment` to a finished export's file; None before there is one."""
    if not export.is_ready or export.stored_file_id is None:
        return None
    return links.create_link(
        export, stored_file_id=export.stored_file_id, moment=moment, latest=export.expires_at
    )


def meeting_of(export: Export) -> Meeting:
    """The meeting of an export. Raises Meeting.DoesNotExist once it is gone."""
    if export.meeting is None:
        raise Meeting.DoesNotExist
    return export.meeting


def same_file(meeting: Meeting, fingerprint: str) -> Export | None:
    """An export that is, or is going to be, the same file and is kept for another while."""
    soon = database_now() + timedelta(hours=1)
    same = whole(Export.objects.filter(meeting=meeting, fingerprint=fingerprint))
    for export in same.filter(expires_at__gt=soon).order_by("-created_at"):
        if export.is_ready or export.is_at_work:
            found: Export = export
            return found
    return None


def expired(limit: int) -> QuerySet[Export]:
    """Exports whose time is over, and those of meetings that are gone."""
    over = Export.objects.filter(expires_at__lte=database_now())
    return over.order_by("expires_at")[:limit]


def is_seen_by(export: Export, user_id: UUID) -> bool:
    """Whether this person may see the export's meeting now."""
    actor = actor_of(user_id=user_id, organization_id=export.organization_id)
    if actor is None:
        return False
    seen: bool = Meeting.objects.visible_to(actor).filter(id=export.meeting_id).exists()
    return seen


def job_subjects(meeting_id: UUID) -> list[UUID]:
    """What jobs about the exports of a meeting are about."""
    return list(Export.objects.filter(meeting_id=meeting_id).values_list("id", flat=True))


def work_of(job: Job, actor: Actor) -> Work | None:
    """A job that makes a file, in words; None when it is another kind or not the actor's to see."""
    exports = Export.objects.visible_to(actor).filter(id=job.subject_id, meeting__isnull=False)
    export = exports.select_related("meeting").first()
    if export is None:
        return None
    return Work(
        f'{export.format.upper()} file of the meeting "{meeting_of(export).title}"',
        "Ask for it once more, or for another format: POST " + public_url(reverse("export-list")),
    )


def names_in(meeting: Meeting) -> list[str]:
    """Names of members that a file of a meeting shows; they change without the meeting."""
    owners = meeting_queries.owners_in(meeting)
    return [person.get_full_name() if person else "" for person in (meeting.organizer, *owners)]


def of_deleted_meetings(organization_id: UUID) -> QuerySet[Export]:
    """Exports that outlived their meeting."""
    return Export.objects.filter(organization_id=organization_id, meeting=None)


def minutes_of(
    meeting: Meeting, *, recording_id: UUID | None = None, with_words: bool = False
) -> Minutes:
    """A meeting, read with its organization and organizer, as renderers want it: all of it.

    Of one recording it is what was said there and what rests on that, timed from its own start, so
    that captions fit its file. `with_words` reads the time of each word, which captions are cut by.
    """
    transcripts = _transcripts_of(meeting, recording_id)
    is_whole = recording_id is None
    segments, at, part_starts = _segments_of(transcripts, on_clock=is_whole, with_words=with_words)
    organizer = meeting.organizer.get_full_name() if meeting.organizer else ""
    return Minutes(
        meeting_id=str(meeting.id),
        title=meeting.title,
        revision=meeting.revision,
        starts_at=meeting.starts_at and meeting.starts_at.astimezone(meeting.zone),
        ends_at=meeting.ends_at and meeting.ends_at.astimezone(meeting.zone),
        time_zone=meeting.time_zone,
        duration_ms=_duration_of(meeting, transcripts, on_clock=is_whole),
        platform=meeting.platform,
        organizer=organizer,
        language=meeting.language or next((t.language for t in transcripts if t.language), ""),
        tags=tuple(meeting.tags),
        participants=_participants(meeting, segments),
        notes=_notes_on(meeting, transcripts, recording_id),
        segments=segments,
        part_starts=part_starts,
        **_findings(meeting, recording_id, segments, at),
    )


def _transcripts_of(meeting: Meeting, recording_id: UUID | None) -> list[Transcript]:
    try:
        return meeting_queries.text_of(meeting, recording_id=recording_id).transcripts
    except meeting_queries.TranscriptNotReady:
        return []


def _notes_on(
    meeting: Meeting, transcripts: Sequence[Transcript], recording_id: UUID | None
) -> tuple[Note, ...]:
    """The recordings that are missing, and the notes on each text; the same note only once."""
    missing = meeting_queries.recordings_not_included(meeting)
    if recording_id is not None:
        missing = missing.filter(id=recording_id)
    names = [recording.filename or f"number {recording.position + 1}" for recording in missing]
    notes: list[Note] = []
    if names:
        notes.append(Note(NOT_INCLUDED, f"Recordings without a text yet: {', '.join(names)}."))
    stored = (TranscriptNote.from_json(note) for text in transcripts for note in text.notes)
    notes.extend(Note(str(note.code), note.message) for note in stored)
    return tuple(dict.fromkeys(notes))


def has_times(meeting: Meeting, *, recording_id: UUID | None = None) -> bool:
    """Whether anything in the meeting's text, or in that of one recording, has a time."""
    transcripts = _transcripts_of(meeting, recording_id)
    timed = TranscriptSegment.objects.filter(start_ms__isnull=False)
    return bool(timed.filter(transcript__in=transcripts).exists())


def _segments_of(
    transcripts: Sequence[Transcript], *, on_clock: bool, with_words: bool
) -> tuple[tuple[Segment, ...], dict[UUID, int], frozenset[int]]:
    """All segments, the index of each by its id, and the indexes at which a transcript begins."""
    names = ["id", "start_ms", "end_ms", "text", "speaker_label"]
    segments: list[Segment] = []
    at: dict[UUID, int] = {}
    part_starts: list[int] = []
    for transcript in transcripts:
        part_starts.append(len(segments))
        offset_ms = transcript.clock_offset_ms if on_clock else 0
        rows = meeting_queries.segment_rows(transcript)
        read = rows.values_list(*names, *(["words_json"] if with_words else []))
        for row_id, start, end, text, speaker, *words in read.iterator():
            at[row_id] = len(segments)
            timed = _timed_words(words[0], offset_ms) if words else ()
            times = _later(start, offset_ms), _later(end, offset_ms)
            segments.append(Segment(text, speaker or "", *times, timed))
    return tuple(segments), at, frozenset(part_starts)


def _later(time_ms: int | None, offset_ms: int) -> int | None:
    return None if time_ms is None else time_ms + offset_ms


def _timed_words(words_json: str, offset_ms: int) -> tuple[TimedWord, ...]:
    words = json.loads(words_json)
    return tuple((start + offset_ms, end + offset_ms, text) for start, end, text, *_ in words)


def _duration_of(
    meeting: Meeting, transcripts: Sequence[Transcript], *, on_clock: bool
) -> int | None:
    """Until the last of its recordings ends, else from the meeting's start to its end."""
    ends = [
        transcript.recording.duration_ms + (transcript.clock_offset_ms if on_clock else 0)
        for transcript in transcripts
        if transcript.recording is not None
    ]
    if ends:
        return max(ends)
    if meeting.starts_at and meeting.ends_at:
        return int((meeting.ends_at - meeting.starts_at).total_seconds() * 1000)
    return None


def _participants(meeting: Meeting, segments: Iterable[Segment]) -> tuple[Participant, ...]:
    """Everyone in the meeting, the speakers in the order in which they begin to speak."""
    talk: dict[str, int | None] = {}
    for segment in segments:
        if segment.speaker:
            said = talk.setdefault(segment.speaker, None)
            if segment.start_ms is not None and segment.end_ms is not None:
                talk[segment.speaker] = (said or 0) + segment.end_ms - segment.start_ms
    people = meeting_queries.people_in(meeting, talk)
    talk_ms = {label.casefold(): ms for label, ms in talk.items()}
    return tuple(Participant(p.name, Part(p.part), talk_ms.get(p.name.casefold())) for p in people)


def _findings(
    meeting: Meeting, recording_id: UUID | None, segments: Sequence[Segment], at: dict[UUID, int]
) -> dict[str, Any]:
    """What an analysis found and nobody dismissed; nothing before there is one."""
    try:
        analysis = meeting_queries.analysis_of(meeting, recording_id=recording_id)
        insight = meeting_queries.insight_of(analysis, recording_id=recording_id)
    except meeting_queries.AnalysisNotReady:
        return {}
    dismissed = ItemStatus.DISMISSED
    return {
        "summary": insight.summary.text if insight.summary else "",
        "topics": tuple(
            Topic(topic.title, index, segments[index].start_ms)
            for topic in insight.topics
            if topic.first_segment_id and (index := at.get(topic.first_segment_id)) is not None
        ),
        "decisions": tuple(
            Item(**_common(row, at)) for row in insight.decisions if row.status != dismissed
        ),
        "action_items": tuple(
            Task(
                **_common(row, at),
                owner=row.owner.get_full_name() if row.owner else row.owner_name,
                due_on=row.due_on,
                due_phrase=row.due_phrase,
                is_completed=row.completed_at is not None,
            )
            for row in insight.action_items
            if row.status != dismissed
        ),
    }


def _common(row: Any, at: dict[UUID, int]) -> dict[str, Any]:
    """Of several quotes the first that stands in the transcript is the one shown."""
    quotes = sorted(row.evidence.all(), key=lambda quote: not quote.verified)
    first = quotes[0] if quotes else None
    is_confirmed = row.status in STOOD_BY
    return {
        "text": row.text,
        "segment": at.get(first.segment_id) if first else None,
        "quote": first.quote if first else "",
        "is_confirmed": is_confirmed,
        "is_verified": is_confirmed or bool(first and first.verified),
    }
