"""Recordings as staff see them."""

from __future__ import annotations

from django.contrib import admin

from core.jobs.models import JobStatus
from core.staff import formatting
from core.staff.filters import ByOrganization, by
from core.staff.read_only import ReadOnlyAdmin, ReadOnlyInline
from meetings.admin.machinery import job_link
from meetings.admin.transcripts import TranscriptInline
from meetings.models import Recording

ByTranscription = by("job__status", lambda: JobStatus.values, named="transcription")


class RecordingInline(ReadOnlyInline):
    model = Recording
    fields = readonly_fields = ("name", "length", "kind", "size", "transcription", "created_at")
    joined = ("stored_file", "job")
    ordering = ("position",)

    @admin.display(description="recording")
    def name(self, recording: Recording) -> str:
        return formatting.link(recording)

    @admin.display(description="length")
    def length(self, recording: Recording) -> str:
        return formatting.milliseconds(recording.duration_ms)

    @admin.display(description="type")
    def kind(self, recording: Recording) -> str:
        return f"{recording.media_type}, {recording.codec}"

    @admin.display(description="size")
    def size(self, recording: Recording) -> str:
        return formatting.size(recording.stored_file.size_bytes)

    @admin.display(description="transcription")
    def transcription(self, recording: Recording) -> str:
        return job_link(recording.job)


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
    list_filter = (ByTranscription, "media_type", "created_at", ByOrganization)
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
        return formatting.link(recording.meeting)

    @admin.display(description="length", ordering="duration_ms")
    def length(self, recording: Recording) -> str:
        return formatting.milliseconds(recording.duration_ms)

    @admin.display(description="size", ordering="stored_file__size_bytes")
    def size(self, recording: Recording) -> str:
        return formatting.size(recording.stored_file.size_bytes)

    @admin.display(description="transcription", ordering="job__status")
    def transcription(self, recording: Recording) -> str:
        return job_link(recording.job)
