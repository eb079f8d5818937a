"""Every read of meetings that joins, prefetches or pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import (
    Case,
    CharField,
    Exists,
    F,
    OuterRef,
    Prefetch,
    QuerySet,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce

from core import errors
from core.accounts.models import User
from core.files import links
from core.jobs import queries as job_queries
from core.jobs.models import Job, JobStatus
from meetings.analysis.discussion import Discussion, Turn
from meetings.analysis.findings import Section
from meetings.models import (
    ActionItem,
    Analysis,
    AnalysisSection,
    AnalysisStatus,
    Decision,
    Evidence,
    Meeting,
    ParticipantRole,
    Recording,
    Segment,
    Summary,
    Topic,
    Transcript,
)
from meetings.models.item import Item
from meetings.text.language_tags import base_language
from meetings.text.names import same_words

FIRST_SEGMENTS = 100  # of a meeting's text, shown with the meeting

# Text that somebody sent in goes before what a machine heard in a recording.
SHOWN_FIRST = (F("recording__position").asc(nulls_first=True), F("version").desc())


class TranscriptNotReady(errors.NotFound):
    """The meeting is there; its text is not, or not yet."""

    code = "transcript.not_ready"
    sentence = "There is no transcript yet. Its recording's job tells how far it is."


class AnalysisNotReady(errors.NotFound):
    """The meeting is there; nothing has looked at its text yet."""

    code = "analysis.not_ready"
    sentence = "There is no analysis yet. One is made when a transcript is complete."


def job_subjects(meeting_id: UUID) -> list[UUID]:
    """What jobs about a meeting are about: its recordings and analyses."""
    recordings = Recording.objects.filter(meeting_id=meeting_id).values_list("id")
    analyses = Analysis.objects.filter(meeting_id=meeting_id).values_list("id")
    return [meeting_id, *(found for (found,) in recordings.union(analyses, all=True))]


def owners_in(meeting: Meeting) -> QuerySet[Any]:
    """The members who own an action item of a meeting, in an order of their own."""
    owned = ActionItem.objects.filter(meeting=meeting, owner__isnull=False)
    return User.objects.filter(id__in=owned.values("owner_id")).order_by("id")


def with_people(meetings: QuerySet[Meeting]) -> QuerySet[Meeting]:
    """Meetings with what a list shows of each."""
    return meetings.select_related("organizer").prefetch_related("participants")


def whole(meetings: QuerySet[Meeting]) -> QuerySet[Meeting]:
    """Meetings with their recordings and how those fare; a constant number of queries."""
    recordings = with_file_and_job(Recording.objects.order_by("position"))
    return with_people(meetings).prefetch_related(Prefetch("recordings", recordings))


def with_file_and_job(recordings: QuerySet[Recording]) -> QuerySet[Recording]:
    """Recordings with stored file, meeting, and the job that knows its children's progress.

    `status_now` is the job's status or, once an ended job is pruned, that of its transcript.
    """
    has_text = Exists(Transcript.objects.filter(recording=OuterRef("pk")))
    without_job = Case(
        When(has_text, then=Value(JobStatus.SUCCEEDED)), default=Value(JobStatus.FAILED)
    )
    status = Coalesce(F("job__status"), without_job, output_field=CharField())
    rows = recordings.annotate(status_now=status).select_related("stored_file", "meeting")
    return rows.prefetch_related(_job())


def recording_behind(*, recording_id: UUID, token: str) -> Recording:
    """The recording that a signed link opens, with its file. Raises LinkInvalid or LinkExpired."""
    stored_file_id = links.check_link(Recording, row_id=recording_id, token=token)
    rows = Recording.objects.select_related("stored_file")
    recording: Recording | None = rows.filter(
        id=recording_id, stored_file_id=stored_file_id
    ).first()
    if recording is None:
        raise links.LinkInvalid
    return recording


def recording_for_work(recording_id: str) -> Recording:
    """A recording as a worker needs it. Raises Recording.DoesNotExist once it is deleted."""
    return Recording.objects.select_related("stored_file", "meeting").get(id=recording_id)


def transcript_for_work(transcript_id: str) -> Transcript:
    """A transcript with its meeting. Raises Transcript.DoesNotExist once it is deleted."""
    return Transcript.objects.select_related("meeting").get(id=transcript_id)


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


def newer_transcripts(transcript: Transcript) -> QuerySet[Transcript]:
    """Later texts of the same recording, or later imported ones."""
    newer: QuerySet[Transcript] = Transcript.objects.filter(
        meeting_id=transcript.meeting_id,
        recording=transcript.recording_id,
        version__gt=transcript.version,
    )
    return newer


def segments_of(transcript: Transcript) -> QuerySet[Segment]:
    """The transcript's segments, for paging by position."""
    return Segment.objects.filter(transcript=transcript)


def segment_rows(transcript: Transcript) -> QuerySet[Segment, Any]:
    """The transcript's segments as plain values, for paging by position.

    No instances are made, and `words_json` comes as the text PostgreSQL has, because both cost
    more than the query. `speaker_label` is null where nobody is named.
    """
    return segments_of(transcript).values(
        "id",
        "position",
        "start_ms",
        "end_ms",
        "text",
        "confidence",
        speaker_label=F("speaker__label"),
        words_json=Cast("words", TextField()),
    )


def discussion_of(analysis: Analysis) -> Discussion:
    """What an engine reads: every turn in order, and the day of the meeting where it was held."""
    rows = segments_of(analysis.transcript).order_by("position")
    values = rows.values_list("id", "text", "speaker__label", "start_ms", "end_ms")
    turns = tuple(
        Turn(id=str(row_id), text=text, speaker=speaker or "", start_ms=start, end_ms=end)
        for row_id, text, speaker, start, end in values
    )
    language = base_language(analysis.language)
    return Discussion(
        turns=turns,
        language=language,
        held_on=held_on(analysis.meeting),
        participants=tuple(analysis.meeting.participants.values_list("name", flat=True)),
    )


def held_on(meeting: Meeting) -> date | None:
    """The day of the meeting in its time zone; the day it was entered if unknown.

    None at the ends of the calendar, where that day has no date.
    """
    moment: datetime = meeting.starts_at or meeting.created_at
    try:
        return moment.astimezone(meeting.zone).date()
    except OverflowError:
        return None


def analysis_for_work(analysis_id: str) -> Analysis:
    """An analysis as a worker needs it. Raises Analysis.DoesNotExist once it is deleted."""
    wanted = ("meeting__organization", "transcript")
    return Analysis.objects.select_related(*wanted).get(id=analysis_id)


def with_job(analyses: QuerySet[Analysis]) -> QuerySet[Analysis]:
    """Analyses with their transcript and the job that knows its children's progress."""
    return analyses.select_related("transcript").prefetch_related(_job())


def active_job_of(analysis: Analysis, *, kind: str) -> Job | None:
    """The job of the kind that is at work on the analysis, knowing its children's progress.

    It is not always the one in `analysis.job`: staff requeue older ones.
    """
    active = Job.objects.active().filter(subject_id=analysis.id, kind=kind)
    found: Job | None = job_queries.with_children_progress(active).order_by("-created_at").first()
    return found


def analysis_of(meeting: Meeting, *, recording_id: UUID | None = None) -> Analysis:
    """The newest analysis of the text to show (see `transcript_of`), or of one recording's.

    While the newest text has none, that of the text before is shown. Raises AnalysisNotReady when
    there is none at all.
    """
    found = with_job(Analysis.objects.filter(meeting=meeting))
    if recording_id is not None:
        found = found.filter(transcript__recording_id=recording_id)
    position = F("transcript__recording__position").asc(nulls_first=True)
    newest = found.order_by(position, "-transcript__version", "-version")
    analysis = newest.first()
    if analysis is not None and _settled_meanwhile(analysis):
        analysis = newest.first()
    if analysis is None:
        raise AnalysisNotReady
    return analysis


def _settled_meanwhile(analysis: Analysis) -> bool:
    """Its job, read a moment after it, has ended well by then: a new look shows both."""
    job = analysis.job
    is_queued = analysis.status == AnalysisStatus.QUEUED
    return is_queued and job is not None and job.status == JobStatus.SUCCEEDED


@dataclass(frozen=True, slots=True)
class Insight:
    """An analysis with all there is to show of it.

    The items are those of its text: what people confirmed, dismissed or edited of an earlier
    analysis of the same recording stands beside what this one found.
    """

    analysis: Analysis
    sections: list[AnalysisSection]
    summary: Summary | None
    topics: list[Topic]
    decisions: list[Decision]
    action_items: list[ActionItem]


def insight_of(analysis: Analysis) -> Insight:
    """All that was found, in a constant number of queries."""
    sections = {row.section: row for row in analysis.sections.select_related("job")}
    return Insight(
        analysis=analysis,
        sections=[sections[section] for section in Section if section in sections],
        summary=_shown(Summary, analysis).last(),
        topics=list(_shown(Topic, analysis)),
        decisions=list(_shown(Decision, analysis)),
        action_items=list(_shown(ActionItem, analysis).select_related("owner")),
    )


def same_text(model: type[Item], analysis: Analysis) -> QuerySet[Any]:
    """Items of a kind from all analyses of the same recording, or of the imported texts."""
    recording_id = analysis.transcript.recording_id
    rows: QuerySet[Any] = model.objects.filter(
        meeting_id=analysis.meeting_id, analysis__transcript__recording_id=recording_id
    )
    return rows


def _shown(model: type[Item], analysis: Analysis) -> QuerySet[Any]:
    rows = same_text(model, analysis).order_by("position", "created_at", "id")
    return with_evidence(rows)


def with_evidence(items: QuerySet[Any]) -> QuerySet[Any]:
    """Items with the words they rest on: who said each quote, and when."""
    said = {"speaker": F("segment__speaker__label"), "start_ms": F("segment__start_ms")}
    quotes = Evidence.objects.annotate(**said).order_by("position", "id")
    return items.prefetch_related(Prefetch("evidence", quotes))


@dataclass(frozen=True, slots=True)
class PersonInMeeting:
    """A person in a meeting: its organizer, a participant given with it, or a speaker by label."""

    name: str
    part: str
    user_id: UUID | None = None


def people_in(meeting: Meeting, speakers: Iterable[str]) -> list[PersonInMeeting]:
    """Everyone in a meeting once, in this order: organizer, participants, speakers.

    Those of the same name are one person. Needs `organizer`; reads `participants`.
    """
    people: dict[str, PersonInMeeting] = {}
    organizer = meeting.organizer
    if organizer is not None:
        name = organizer.get_full_name()
        people[same_words(name)] = PersonInMeeting(name, "organizer", organizer.id)
    for row in meeting.participants.all():
        if organizer is None or row.user_id != organizer.id:
            part = "organizer" if row.role == ParticipantRole.ORGANIZER else "participant"
            people.setdefault(same_words(row.name), PersonInMeeting(row.name, part, row.user_id))
    for label in speakers:
        people.setdefault(same_words(label), PersonInMeeting(label, "speaker"))
    return list(people.values())


@dataclass(frozen=True, slots=True)
class MeetingDetail:
    """A meeting with its people, the beginning of its text, and what it comes to."""

    meeting: Meeting
    transcript: Transcript | None
    speakers: list[str]
    segments: list[dict[str, Any]]
    insight: Insight | None


def detail_of(meeting: Meeting) -> MeetingDetail:
    """A meeting read with `whole` and everything shown with it; a constant number of queries."""
    transcript = Transcript.objects.filter(meeting=meeting).order_by(*SHOWN_FIRST).first()
    segments = segment_rows(transcript).order_by("position")[:FIRST_SEGMENTS] if transcript else []
    try:
        insight = insight_of(analysis_of(meeting))
    except AnalysisNotReady:
        insight = None
    return MeetingDetail(
        meeting=meeting,
        transcript=transcript,
        speakers=speakers_of(transcript) if transcript else [],
        segments=list(segments),
        insight=insight,
    )


def speakers_of(transcript: Transcript) -> list[str]:
    """The labels of those who speak, in the order of first appearance."""
    return list(transcript.speakers.order_by("id").values_list("label", flat=True))


def _job() -> Prefetch[Any]:
    """The job of a row, with its children's progress."""
    return Prefetch("job", job_queries.with_children_progress(Job.objects.all()))
