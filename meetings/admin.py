"""Meetings as staff see them. What was said is not for staff: it is counted, not shown."""

from __future__ import annotations

from django.contrib import admin

from core.admin.logs import ReadOnlyAdmin, ReadOnlyInline
from meetings.models import (
    ActionItem,
    Analysis,
    AnalysisSection,
    Decision,
    Evidence,
    Meeting,
    Recording,
    Segment,
    Speaker,
    Summary,
    Topic,
    Transcript,
)


@admin.register(Meeting)
class MeetingAdmin(ReadOnlyAdmin):
    list_display = ("title", "organization", "team", "status", "starts_at", "created_at")
    list_filter = ("status",)
    list_select_related = ("organization", "team")
    search_fields = ("=id", "title")
    ordering = ("-created_at",)


@admin.register(Recording)
class RecordingAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "organization",
        "meeting",
        "media_type",
        "duration_ms",
        "job_status",
        "created_at",
    )
    list_select_related = ("organization", "meeting", "job")
    search_fields = ("=id", "=meeting__id", "filename")
    ordering = ("-created_at",)

    @admin.display(description="job")
    def job_status(self, recording: Recording) -> str:
        return recording.job.status if recording.job else ""


@admin.register(Transcript)
class TranscriptAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "organization",
        "meeting",
        "recording",
        "version",
        "engine",
        "language",
        "confidence",
        "segment_count",
        "uncovered_speech_ms",
        "created_at",
    )
    list_select_related = ("organization", "meeting", "recording")
    search_fields = ("=id", "=meeting__id", "=recording__id")
    ordering = ("-created_at",)


@admin.register(Segment)
class SegmentAdmin(ReadOnlyAdmin):
    list_display = ("id", "transcript", "position", "start_ms", "end_ms", "confidence")
    list_select_related = ("transcript",)
    search_fields = ("=id", "=transcript__id")
    fields = ("transcript", "position", "start_ms", "end_ms", "confidence")
    ordering = ("-id",)


@admin.register(Speaker)
class SpeakerAdmin(ReadOnlyAdmin):
    list_display = ("id", "organization", "transcript", "label")
    list_select_related = ("organization", "transcript")
    search_fields = ("=id", "=transcript__id")
    ordering = ("-id",)


class SectionInline(ReadOnlyInline):
    model = AnalysisSection
    fields = ("section", "status", "turns_used", "turns_total", "notes", "error_code", "job")
    ordering = ("section",)


@admin.register(Analysis)
class AnalysisAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "organization",
        "meeting",
        "version",
        "engine",
        "language",
        "status",
        "job_status",
        "created_at",
    )
    list_filter = ("status", "engine")
    list_select_related = ("organization", "meeting", "job")
    search_fields = ("=id", "=meeting__id", "=transcript__id")
    ordering = ("-created_at",)
    inlines = (SectionInline,)

    @admin.display(description="job")
    def job_status(self, analysis: Analysis) -> str:
        return analysis.job.status if analysis.job else ""


@admin.register(AnalysisSection)
class AnalysisSectionAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "organization",
        "analysis",
        "section",
        "status",
        "turns_used",
        "turns_total",
        "error_code",
        "created_at",
    )
    list_filter = ("section", "status", "error_code")
    list_select_related = ("organization", "analysis")
    search_fields = ("=id", "=analysis__id")
    ordering = ("-created_at",)


class ItemAdmin(ReadOnlyAdmin):
    """Items by what became of them, without their words."""

    list_display: tuple[str, ...] = ("id", "organization", "meeting", "analysis", "created_at")
    list_select_related = ("organization", "meeting", "analysis")
    search_fields = ("=id", "=meeting__id", "=analysis__id")
    ordering = ("-created_at",)


@admin.register(Summary)
class SummaryAdmin(ItemAdmin):
    exclude = ("text",)


@admin.register(Topic)
class TopicAdmin(ItemAdmin):
    list_display = ("id", "organization", "meeting", "position", "start_ms", "end_ms", "created_at")
    exclude = ("title",)


@admin.register(Decision)
class DecisionAdmin(ItemAdmin):
    list_display = ("id", "organization", "meeting", "status", "confidence", "created_at")
    list_filter = ("status",)
    exclude = ("text", "found_text")


@admin.register(ActionItem)
class ActionItemAdmin(ItemAdmin):
    list_display = (
        "id",
        "organization",
        "meeting",
        "status",
        "confidence",
        "due_on",
        "completed_at",
        "created_at",
    )
    list_filter = ("status",)
    exclude = ("text", "found_text", "due_phrase", "owner_name")


@admin.register(Evidence)
class EvidenceAdmin(ReadOnlyAdmin):
    list_display = ("id", "organization", "meeting", "segment", "verified", "created_at")
    list_filter = ("verified",)
    list_select_related = ("organization", "meeting", "segment")
    search_fields = ("=id", "=meeting__id", "=segment__id")
    exclude = ("quote",)
    ordering = ("-created_at",)
