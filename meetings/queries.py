"""Every read of meetings that joins, prefetches or pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
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
    Q,
    QuerySet,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce
from django.urls import reverse

from core import errors
from core.accounts.actor import Actor
from core.accounts.models import User
from core.files import links
from core.http.address import public_url
from core.jobs import queries as job_queries
from core.jobs.models import Job, JobStatus
from core.jobs.subjects import Work
from meetings.analysis.discussion import Discussion, Turn
from meetings.analysis.findings import Section
from meetings.models import (
    ActionItem,
    Analysis,
    AnalysisSection,
    AnalysisStatus,
    AnalysisTranscript,
    Decision,
    Evidence,
    Meeting,
    ParticipantRole,
    Recording,
    Segment,
    Speaker,
    Summary,
    Topic,
    Transcript,
)
from meetings.models.item import Item
from meetings.text.language_tags import base_language
from meetings.text.names import same_words

# The name under which evidence refers to an item.
EVIDENCE_OF: dict[type[Item], str] = {
    Summary: "summary",
    Topic: "topic",
    Decision: "decision",
    ActionItem: "action_item",
}

FIRST_SEGMENTS = 100  # of a meeting's text, shown with the meeting


class TranscriptNotReady(errors.NotFound):
    """The meeting is there; its text is not, or not yet."""

    code = "transcript.not_ready"
    message = "There is no transcript yet. Its recording's job tells how far it is."


class AnalysisNotReady(errors.NotFound):
    """The meeting is there; nothing has looked at its text yet."""

    code = "analysis.not_ready"
    message = "There is no analysis yet. One is made when a transcript is complete."


def job_subjects(meeting_id: UUID) -> list[UUID]:
    """What jobs about a meeting are about: its recordings and analyses."""
    recordings = Recording.objects.filter(meeting_id=meeting_id).values_list("id")
    analyses = Analysis.objects.filter(meeting_id=meeting_id).values_list("id")
    return [meeting_id, *(found for (found,) in recordings.union(analyses, all=True))]


def work_of(job: Job, actor: Actor) -> Work | None:
    """A job about a recording or an analysis, in words; None when the actor may not see that."""
    recordings = Recording.objects.visible_to(actor).select_related("meeting")
    recording = recordings.filter(id=job.subject_id).first()
    if recording is not None:
        again = public_url(reverse("recording-retry", args=[recording.id]))
        upload = public_url(reverse("uploads", args=[recording.meeting_id]))
        name = f'"{recording.filename}"' if recording.filename else "a recording"
        return Work(
            f'transcription of {name} in the meeting "{recording.meeting.title}"',
            f"Try it once more: POST {again}\nOr send another file: POST {upload}",
        )
    analyses = Analysis.objects.visible_to(actor).select_related("meeting")
    analysis = analyses.filter(id=job.subject_id).first()
    if analysis is None:
        return None
    again = public_url(reverse("analysis", args=[analysis.meeting_id]))
    return Work(
        f'analysis of the meeting "{analysis.meeting.title}"', f"Try it once more: POST {again}"
    )


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


@dataclass(frozen=True, slots=True)
class Text:
    """The text of a meeting: its transcripts in the order of the meeting's clock.

    `recordings_not_included` are those whose own text is still to come, or could not be made.
    """

    transcripts: list[Transcript]
    recordings_not_included: list[UUID]

    @property
    def segment_count(self) -> int:
        return sum(transcript.segment_count for transcript in self.transcripts)

    def index_of(self, transcript_id: UUID, position: int) -> int:
        """Which segment of the whole text that is. Raises LookupError for none of it."""
        before = 0
        for transcript in self.transcripts:
            if transcript.id == transcript_id:
                return before + position
            before += transcript.segment_count
        raise LookupError


def text_of(
    meeting: Meeting, *, recording_id: UUID | None = None, transcript_id: UUID | None = None
) -> Text:
    """The whole text, or the newest transcript of one recording, or the transcript named.

    Raises TranscriptNotReady when there is none.
    """
    found = Transcript.objects.filter(meeting=meeting)
    if transcript_id is not None:
        found = found.filter(id=transcript_id)
    if recording_id is not None:
        found = found.filter(recording_id=recording_id)
    is_whole = transcript_id is None and recording_id is None
    if is_whole:
        transcripts = list(found.current().in_order())
    else:
        transcripts = list(found.select_related("recording").order_by("-version")[:1])
    if not transcripts:
        raise TranscriptNotReady
    return Text(transcripts, recordings_without_text(meeting) if is_whole else [])


def recordings_not_included(meeting: Meeting) -> QuerySet[Recording]:
    """The recordings of a meeting that its text does not include yet, in order."""
    waiting = Recording.objects.filter(meeting=meeting, replaced_by=None, transcripts=None)
    return waiting.order_by("position")


def recordings_without_text(meeting: Meeting) -> list[UUID]:
    """The ids of the recordings that the text of a meeting does not include yet."""
    return list(recordings_not_included(meeting).values_list("id", flat=True))


def text_with(text: Text, transcript_id: UUID) -> Text:
    """The text with one transcript of it in the version named, for a reader who has begun with it.

    It may have been followed by a newer version or replaced meanwhile: what took its place is left
    out. Raises TranscriptNotReady once it is deleted.
    """
    if any(transcript.id == transcript_id for transcript in text.transcripts):
        return text
    meeting_id = text.transcripts[0].meeting_id
    named = Transcript.objects.filter(meeting_id=meeting_id, id=transcript_id)
    transcripts = list(named.select_related("recording"))
    if not transcripts:
        raise TranscriptNotReady
    recording = transcripts[0].recording
    instead = {transcripts[0].replaced_by_id, recording.replaced_by_id if recording else None}
    kept = [
        transcript.id
        for transcript in text.transcripts
        if transcript.id not in instead
        and (recording is None or transcript.recording_id != recording.id)
    ]
    both = Transcript.objects.filter(id__in=[*kept, transcript_id])
    return replace(text, transcripts=list(both.in_order()))


def segment_rows(transcript: Transcript) -> QuerySet[Segment, Any]:
    """A transcript's segments in order as plain values, timed from the start of its own recording.

    No instances are made, and `words_json` comes as the text PostgreSQL has, because both cost
    more than the query. `speaker_label` is null where nobody is named.
    """
    return _segment_values(Segment.objects.filter(transcript=transcript)).order_by("position")


def _segment_values(segments: QuerySet[Segment]) -> QuerySet[Segment, Any]:
    return segments.values(
        "id",
        "transcript_id",
        "position",
        "start_ms",
        "end_ms",
        "text",
        "confidence",
        speaker_label=F("speaker__label"),
        words_json=Cast("words", TextField()),
    )


def segments_between(text: Text, first: int, last: int) -> list[dict[str, Any]]:
    """The segments of a whole text from index `first` up to, not including, `last`.

    One query, however many transcripts they are from: positions count from 0 in each.
    """
    wanted = Q(pk__in=[])
    order: dict[UUID, int] = {}
    before = 0
    for transcript in text.transcripts:
        start, end = max(first - before, 0), min(last - before, transcript.segment_count)
        if start < end:
            wanted |= Q(transcript=transcript.id, position__gte=start, position__lt=end)
            order[transcript.id] = before
        before += transcript.segment_count
    rows = _segment_values(Segment.objects.filter(wanted)) if order else []
    return sorted(rows, key=lambda row: (order[row["transcript_id"]], row["position"]))


def discussion_of(analysis: Analysis) -> Discussion:
    """What an engine reads: every turn in order, and the day of the meeting where it was held."""
    language = base_language(analysis.language)
    return Discussion(
        turns=tuple(_turns(transcripts_read_by(analysis))),
        language=language,
        held_on=held_on(analysis.meeting),
        participants=tuple(analysis.meeting.participants.values_list("name", flat=True)),
    )


def transcripts_read_by(analysis: Analysis) -> list[Transcript]:
    """The transcripts of an analysis in its order; fewer once one was deleted."""
    read = Transcript.objects.filter(analysis_links__analysis=analysis).select_related("recording")
    return list(read.order_by("analysis_links__position"))


def _turns(transcripts: Sequence[Transcript]) -> Iterator[Turn]:
    for transcript in transcripts:
        offset_ms = transcript.clock_offset_ms
        rows = Segment.objects.filter(transcript=transcript).order_by("position")
        for row_id, text, speaker, start, end in rows.values_list(
            "id", "text", "speaker__label", "start_ms", "end_ms"
        ):
            yield Turn(
                id=str(row_id),
                text=text,
                speaker=speaker or "",
                start_ms=None if start is None else start + offset_ms,
                end_ms=None if end is None else end + offset_ms,
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
    return Analysis.objects.select_related("meeting__organization").get(id=analysis_id)


def with_job(analyses: QuerySet[Analysis]) -> QuerySet[Analysis]:
    """Analyses with the transcripts they read and the job that knows its children's progress."""
    return analyses.prefetch_related("transcript_links", _job())


def active_job_of(analysis: Analysis, *, kind: str) -> Job | None:
    """The job of the kind that is at work on the analysis, knowing its children's progress.

    It is not always the one in `analysis.job`: staff requeue older ones.
    """
    active = Job.objects.active().filter(subject_id=analysis.id, kind=kind)
    found: Job | None = job_queries.with_children_progress(active).order_by("-created_at").first()
    return found


def analysis_of(meeting: Meeting, *, recording_id: UUID | None = None) -> Analysis:
    """The newest analysis of the meeting, or of those that have read a recording's text.

    Raises AnalysisNotReady when there is none.
    """
    found = with_job(Analysis.objects.filter(meeting=meeting))
    if recording_id is not None:
        read = AnalysisTranscript.objects.filter(
            analysis=OuterRef("pk"), transcript__recording_id=recording_id
        )
        found = found.filter(Exists(read))
    newest = found.order_by("-version")
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

    The items are those of the meeting: the ones that people confirmed, dismissed or edited in an
    earlier analysis stand beside those of this one. `recordings_not_included` are recordings of
    the meeting of which the analysis has read no text.
    """

    analysis: Analysis
    recordings_not_included: list[UUID]
    sections: list[AnalysisSection]
    summary: Summary | None
    topics: list[Topic]
    decisions: list[Decision]
    action_items: list[ActionItem]


def insight_of(analysis: Analysis, *, recording_id: UUID | None = None) -> Insight:
    """All that was found, in a constant number of queries.

    Of one recording it is the topics that begin in it, the items with evidence in it, and the
    summary if no other recording is in it.
    """
    sections = {row.section: row for row in analysis.sections.select_related("job")}
    return Insight(
        analysis=analysis,
        recordings_not_included=_recordings_not_read(analysis),
        sections=[sections[section] for section in Section if section in sections],
        summary=_shown(Summary, analysis, recording_id).last(),
        topics=list(_with_times(_shown(Topic, analysis, recording_id))),
        decisions=list(_shown(Decision, analysis, recording_id)),
        action_items=list(_shown(ActionItem, analysis, recording_id).select_related("owner")),
    )


def _recordings_not_read(analysis: Analysis) -> list[UUID]:
    read = Transcript.objects.filter(id__in=analysis.transcript_ids, recording=OuterRef("pk"))
    recordings = Recording.objects.filter(meeting_id=analysis.meeting_id, replaced_by=None)
    missing = recordings.filter(~Exists(read)).order_by("position")
    return list(missing.values_list("id", flat=True))


def _shown(model: type[Item], analysis: Analysis, recording_id: UUID | None) -> QuerySet[Any]:
    rows: QuerySet[Any] = model.objects.filter(meeting_id=analysis.meeting_id)
    if recording_id is not None:
        rows = _in_recording(rows, recording_id)
    return with_evidence(rows.order_by("position", "created_at", "id"))


def _in_recording(items: QuerySet[Any], recording_id: UUID) -> QuerySet[Any]:
    if items.model is Topic:
        return items.filter(first_segment__transcript__recording_id=recording_id)
    quotes = Evidence.objects.filter(**{EVIDENCE_OF[items.model]: OuterRef("pk")})
    inside = Q(segment__transcript__recording_id=recording_id)
    items = items.filter(Exists(quotes.filter(inside)))
    return items.filter(~Exists(quotes.exclude(inside))) if items.model is Summary else items


def _on_clock(segment: str, column: str) -> Any:
    """A segment's time on the meeting's clock, which its recording's offset leads to."""
    offset = Coalesce(
        f"{segment}__transcript__recording__offset_ms", f"{segment}__transcript__offset_ms"
    )
    return F(f"{segment}__{column}") + offset


def _with_times(topics: QuerySet[Topic]) -> QuerySet[Topic]:
    return topics.annotate(
        start_ms=_on_clock("first_segment", "start_ms"), end_ms=_on_clock("last_segment", "end_ms")
    )


def with_evidence(items: QuerySet[Any]) -> QuerySet[Any]:
    """Items with the words they rest on: who said each quote, when, and in which recording."""
    quotes = Evidence.objects.annotate(
        speaker=F("segment__speaker__label"),
        start_ms=_on_clock("segment", "start_ms"),
        recording_id=F("segment__transcript__recording_id"),
    )
    return items.prefetch_related(Prefetch("evidence", quotes.order_by("position", "id")))


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
    text: Text
    speakers: list[str]
    segments: list[dict[str, Any]]
    insight: Insight | None


def detail_of(meeting: Meeting) -> MeetingDetail:
    """A meeting read with `whole` and everything shown with it; a constant number of queries."""
    transcripts = list(Transcript.objects.filter(meeting=meeting).current().in_order())
    text = Text(transcripts, recordings_without_text(meeting))
    try:
        insight = insight_of(analysis_of(meeting))
    except AnalysisNotReady:
        insight = None
    return MeetingDetail(
        meeting=meeting,
        text=text,
        speakers=speakers_of(text),
        segments=segments_between(text, 0, FIRST_SEGMENTS),
        insight=insight,
    )


def speakers_of(text: Text) -> list[str]:
    """The labels of those who speak, in the order of first appearance."""
    order = {transcript.id: index for index, transcript in enumerate(text.transcripts)}
    speakers = Speaker.objects.filter(transcript__in=text.transcripts).order_by("id")
    found = sorted(speakers, key=lambda speaker: order[speaker.transcript_id])
    return list(dict.fromkeys(speaker.label for speaker in found))


def _job() -> Prefetch[Any]:
    """The job of a row, with its children's progress."""
    return Prefetch("job", job_queries.with_children_progress(Job.objects.all()))
