"""Meetings as staff see them. What was said is not for staff: segments are counted, not shown."""

from __future__ import annotations

from django.contrib import admin

from core.admin.logs import ReadOnlyAdmin
from meetings.models import Meeting, Recording, Segment, Transcript


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
        "recording",
        "version",
        "engine",
        "language",
        "confidence",
        "segment_count",
        "uncovered_speech_ms",
        "created_at",
    )
    list_select_related = ("organization", "recording")
    search_fields = ("=id", "=recording__id")
    ordering = ("-created_at",)


@admin.register(Segment)
class SegmentAdmin(ReadOnlyAdmin):
    list_display = ("id", "transcript", "position", "start_ms", "end_ms", "confidence")
    list_select_related = ("transcript",)
    search_fields = ("=id", "=transcript__id")
    fields = ("transcript", "position", "start_ms", "end_ms", "confidence")
    ordering = ("-id",)
