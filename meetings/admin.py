"""Meetings as staff see them. What was said is not for staff: it is counted, not shown.

Rows that hold little but words (segments, speakers, summaries, topics, evidence) have no pages; the
pages of what they belong to count them.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.safestring import SafeString

from core.admin import cells
from core.admin.logs import ReadOnlyAdmin, ReadOnlyInline
from core.admin.narrowing import ByOrganization
from core.jobs.models import Job
from meetings.models import (
    ActionItem,
    Analysis,
    AnalysisSection,
    AnalysisStatus,
    Decision,
    Evidence,
    Meeting,
    Recording,
    Transcript,
)


def job_link(job: Job | None) -> SafeString | str:
    """How a job fares, leading to its page."""
    return cells.link(job, cells.status(job.status)) if job else cells.NOTHING


def coverage(section: AnalysisSection) -> str:
    """From how many of all turns a section was made."""
    if section.turns_total is None:
        return cells.NOTHING
    return f"{section.turns_used} of {section.turns_total} turns"


class RecordingInline(ReadOnlyInline):
    model = Recording
    fields = readonly_fields = ("name", "length", "kind", "size", "transcription", "created_at")
    joined = ("stored_file", "job")
    ordering = ("position",)

    @admin.display(description="recording")
    def name(self, recording: Recording) -> str:
        return cells.link(recording)

    @admin.display(description="length")
    def length(self, recording: Recording) -> str:
        return cells.milliseconds(recording.duration_ms)

    @admin.display(description="type")
    def kind(self, recording: Recording) -> str:
        return f"{recording.media_type}, {recording.codec}"

    @admin.display(description="size")
    def size(self, recording: Recording) -> str:
        return cells.size(recording.stored_file.size_bytes)

    @admin.display(description="transcription")
    def transcription(self, recording: Recording) -> str:
        return job_link(recording.job)


class TranscriptInline(ReadOnlyInline):
    model = Transcript
    fields = readonly_fields = (
        "name",
        "engine",
        "language",
        "segment_count",
        "word_count",
        "sureness",
        "missing",
        "created_at",
    )
    ordering = ("-id",)

    @admin.display(description="version")
    def name(self, transcript: Transcript) -> str:
        return cells.link(transcript, f"version {transcript.version}")

    @admin.display(description="confidence")
    def sureness(self, transcript: Transcript) -> str:
        return cells.percent(transcript.confidence)

    @admin.display(description="speech without words")
    def missing(self, transcript: Transcript) -> str:
        return cells.milliseconds(transcript.uncovered_speech_ms)


class AnalysisInline(ReadOnlyInline):
    model = Analysis
    fields = readonly_fields = ("name", "how", "engine", "language", "work", "created_at")
    joined = ("job",)
    ordering = ("-version",)

    @admin.display(description="version")
    def name(self, analysis: Analysis) -> str:
        return cells.link(analysis, f"version {analysis.version}")

    @admin.display(description="status")
    def how(self, analysis: Analysis) -> str:
        return cells.status(analysis.current_status)

    @admin.display(description="job")
    def work(self, analysis: Analysis) -> str:
        return job_link(analysis.job)


class SectionInline(ReadOnlyInline):
    model = AnalysisSection
    verbose_name_plural = "sections"
    fields = readonly_fields = ("section", "how", "used", "remarks", "error_code", "work")
    joined = ("job",)
    ordering = ("section",)

    @admin.display(description="status")
    def how(self, section: AnalysisSection) -> str:
        return cells.status(section.current_status)

    @admin.display(description="made from")
    def used(self, section: AnalysisSection) -> str:
        return coverage(section)

    @admin.display(description="notes")
    def remarks(self, section: AnalysisSection) -> str:
        return ", ".join(section.notes) or cells.NOTHING

    @admin.display(description="job")
    def work(self, section: AnalysisSection) -> str:
        return job_link(section.job)


@admin.register(Meeting)
class MeetingAdmin(ReadOnlyAdmin):
    list_display = (
        "title",
        "organization",
        "team",
        "how",
        "starts_at",
        "recording_count",
        "analysed",
    )
    list_filter = ("status", "created_at", ByOrganization)
    list_select_related = ("organization", "team", "organizer")
    search_fields = ("=id", "title", "organization__name")
    search_help_text = "The id of a meeting, or words of its title or organization."
    date_hierarchy = "created_at"
    inlines = (RecordingInline, TranscriptInline, AnalysisInline)
    fieldsets = (
        (None, {"fields": ("title", "how", "organization", "team", "organizer")}),
        ("When and where", {"fields": ("starts_at", "ends_at", "platform", "language", "tags")}),
        ("What was found", {"fields": ("decisions", "action_items", "evidence")}),
        (
            "Machinery",
            {"classes": ("collapse",), "fields": ("id", "revision", "created_at", "updated_at")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        recordings = Recording.objects.filter(meeting=OuterRef("pk")).order_by().values("meeting")
        newest = Analysis.objects.filter(meeting=OuterRef("pk")).order_by("-version")
        return (
            super()
            .get_queryset(request)
            .annotate(
                recordings_held=Subquery(recordings.annotate(held=Count("pk")).values("held")),
                analysis_status=Subquery(newest.with_status_now().values("status_now")[:1]),
            )
        )

    @admin.display(description="status", ordering="status")
    def how(self, meeting: Meeting) -> str:
        return cells.status(meeting.status)

    @admin.display(description="recordings")
    def recording_count(self, meeting: Any) -> int:
        return meeting.recordings_held or 0

    @admin.display(description="analysis")
    def analysed(self, meeting: Any) -> str:
        return cells.status(meeting.analysis_status) if meeting.analysis_status else cells.NOTHING

    @admin.display(description="decisions")
    def decisions(self, meeting: Meeting) -> str:
        return _by_status(Decision.objects.filter(meeting=meeting))

    @admin.display(description="action items")
    def action_items(self, meeting: Meeting) -> str:
        return _by_status(ActionItem.objects.filter(meeting=meeting))

    @admin.display(description="evidence")
    def evidence(self, meeting: Meeting) -> str:
        return _evidence(Evidence.objects.filter(meeting=meeting))


def _by_status(items: QuerySet[Any]) -> str:
    """How many items there are of each status, in one query."""
    counted = items.order_by("status").values_list("status").annotate(Count("id"))
    return ", ".join(f"{number} {status}" for status, number in counted) or cells.NOTHING


def _evidence(rows: QuerySet[Evidence]) -> str:
    """How many quotes there are, and how many of them stand in their segment letter by letter."""
    found = rows.aggregate(all=Count("id"), verified=Count("id", filter=Q(verified=True)))
    if not found["all"]:
        return cells.NOTHING
    return f"{found['all']} quotes, {found['verified']} verified"


@admin.register(Recording)
class RecordingAdmin(ReadOnlyAdmin):
    list_display = (
        "__str__",
        "in_meeting",
        "organization",
        "length",
        "media_type",
        "size",
        "transcription",
        "created_at",
    )
    list_filter = ("media_type", "created_at", ByOrganization)
    list_select_related = ("organization", "meeting", "job", "stored_file")
    search_fields = ("=id", "=meeting__id", "filename")
    search_help_text = "The id of a recording or its meeting, or words of its file's name."
    inlines = (TranscriptInline,)
    fieldsets = (
        (None, {"fields": ("filename", "in_meeting", "organization", "transcription")}),
        (
            "The sound",
            {"fields": ("length", "size", "media_type", "codec", "channels", "sample_rate")},
        ),
        (
            "Machinery",
            {
                "classes": ("collapse",),
                "fields": ("id", "stored_file", "position", "language", "created_at", "updated_at"),
            },
        ),
    )

    @admin.display(description="meeting")
    def in_meeting(self, recording: Recording) -> str:
        return cells.link(recording.meeting)

    @admin.display(description="length", ordering="duration_ms")
    def length(self, recording: Recording) -> str:
        return cells.milliseconds(recording.duration_ms)

    @admin.display(description="size", ordering="stored_file__size_bytes")
    def size(self, recording: Recording) -> str:
        return cells.size(recording.stored_file.size_bytes)

    @admin.display(description="transcription", ordering="job__status")
    def transcription(self, recording: Recording) -> str:
        return job_link(recording.job)


@admin.register(Transcript)
class TranscriptAdmin(ReadOnlyAdmin):
    list_display = (
        "name",
        "in_meeting",
        "organization",
        "engine",
        "language",
        "segment_count",
        "sureness",
        "missing",
        "created_at",
    )
    list_filter = ("created_at", ByOrganization)
    list_select_related = ("organization", "meeting", "recording")
    search_fields = ("=id", "=meeting__id", "=recording__id", "=engine")
    search_help_text = "The id of a transcript, its meeting or its recording; or an engine."
    fieldsets = (
        (None, {"fields": ("in_meeting", "of_recording", "organization", "version", "revision")}),
        ("How it was made", {"fields": ("engine", "language", "language_probability", "sureness")}),
        ("How much", {"fields": ("segment_count", "word_count", "speech", "missing", "voices")}),
        ("Machinery", {"classes": ("collapse",), "fields": ("id", "created_at", "updated_at")}),
    )

    @admin.display(description="transcript", ordering="version")
    def name(self, transcript: Transcript) -> str:
        return f"version {transcript.version}"

    @admin.display(description="meeting")
    def in_meeting(self, transcript: Transcript) -> str:
        return cells.link(transcript.meeting)

    @admin.display(description="recording")
    def of_recording(self, transcript: Transcript) -> str:
        return cells.link(transcript.recording)

    @admin.display(description="confidence", ordering="confidence")
    def sureness(self, transcript: Transcript) -> str:
        return cells.percent(transcript.confidence)

    @admin.display(description="speech")
    def speech(self, transcript: Transcript) -> str:
        return cells.milliseconds(transcript.speech_ms)

    @admin.display(description="speech without words", ordering="uncovered_speech_ms")
    def missing(self, transcript: Transcript) -> str:
        return cells.milliseconds(transcript.uncovered_speech_ms)

    @admin.display(description="speakers")
    def voices(self, transcript: Transcript) -> int:
        return transcript.speakers.count()


class ByStatusNow(admin.SimpleListFilter):
    """Analyses by how they fare, whether that is stored or told by their job."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        return list(AnalysisStatus.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(status_now=self.value()) if self.value() else queryset


@admin.register(Analysis)
class AnalysisAdmin(ReadOnlyAdmin):
    list_display = (
        "name",
        "in_meeting",
        "organization",
        "how",
        "engine",
        "language",
        "work",
        "created_at",
    )
    list_filter = (ByStatusNow, "created_at", ByOrganization)
    list_select_related = ("organization", "meeting", "job", "transcript")
    search_fields = ("=id", "=meeting__id", "=transcript__id", "=engine")
    search_help_text = "The id of an analysis, its meeting or its transcript; or an engine."
    inlines = (SectionInline,)
    fieldsets = (
        (None, {"fields": ("how", "in_meeting", "of_transcript", "organization", "version")}),
        ("How it was made", {"fields": ("engine", "language", "work")}),
        ("What was found", {"fields": ("decisions", "action_items")}),
        ("Machinery", {"classes": ("collapse",), "fields": ("id", "created_at", "updated_at")}),
    )

    @admin.display(description="analysis", ordering="version")
    def name(self, analysis: Analysis) -> str:
        return f"version {analysis.version}"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        analyses: QuerySet[Any] = rows.with_status_now()
        return analyses

    @admin.display(description="status", ordering="status_now")
    def how(self, analysis: Analysis) -> str:
        return cells.status(analysis.current_status)

    @admin.display(description="meeting")
    def in_meeting(self, analysis: Analysis) -> str:
        return cells.link(analysis.meeting)

    @admin.display(description="transcript")
    def of_transcript(self, analysis: Analysis) -> str:
        return cells.link(analysis.transcript, f"version {analysis.transcript.version}")

    @admin.display(description="job")
    def work(self, analysis: Analysis) -> str:
        return job_link(analysis.job)

    @admin.display(description="decisions")
    def decisions(self, analysis: Analysis) -> str:
        return _by_status(Decision.objects.filter(analysis=analysis))

    @admin.display(description="action items")
    def action_items(self, analysis: Analysis) -> str:
        return _by_status(ActionItem.objects.filter(analysis=analysis))


class ItemAdmin(ReadOnlyAdmin):
    """Items by what became of them, without their words."""

    list_filter: ClassVar[Any] = ("status", "created_at", ByOrganization)
    list_select_related: ClassVar[Any] = ("organization", "meeting", "analysis")
    search_fields = ("=id", "=meeting__id", "=analysis__id")
    search_help_text = "The id of an item, its meeting or its analysis."

    @admin.display(description="meeting")
    def in_meeting(self, item: Any) -> str:
        return cells.link(item.meeting)

    @admin.display(description="analysis")
    def of_analysis(self, item: Any) -> str:
        return cells.link(item.analysis, f"version {item.analysis.version}")

    @admin.display(description="status", ordering="status")
    def how(self, item: Any) -> str:
        return cells.status(item.status)

    @admin.display(description="confidence", ordering="confidence")
    def sureness(self, item: Any) -> str:
        return cells.percent(item.confidence)

    @admin.display(description="reworded")
    def reworded(self, item: Any) -> str:
        return "yes" if item.text != item.found_text else "no"

    @admin.display(description="evidence")
    def evidence(self, item: Any) -> str:
        return _evidence(item.evidence.all())


@admin.register(Decision)
class DecisionAdmin(ItemAdmin):
    list_display = ("id", "how", "in_meeting", "organization", "sureness", "created_at")
    fieldsets = (
        (None, {"fields": ("how", "in_meeting", "of_analysis", "organization")}),
        ("How it was found", {"fields": ("sureness", "evidence", "reworded")}),
        ("Machinery", {"classes": ("collapse",), "fields": ("id", "created_at", "updated_at")}),
    )


@admin.register(ActionItem)
class ActionItemAdmin(ItemAdmin):
    list_display = (
        "id",
        "how",
        "in_meeting",
        "organization",
        "owner",
        "due_on",
        "completed_at",
        "sureness",
        "created_at",
    )
    list_filter = ("status", "due_on", "created_at", ByOrganization)
    list_select_related = ("organization", "meeting", "analysis", "owner")
    fieldsets = (
        (None, {"fields": ("how", "in_meeting", "of_analysis", "organization")}),
        ("By whom and when", {"fields": ("owner", "due_on", "completed_at")}),
        ("How it was found", {"fields": ("sureness", "evidence", "reworded")}),
        ("Machinery", {"classes": ("collapse",), "fields": ("id", "created_at", "updated_at")}),
    )
