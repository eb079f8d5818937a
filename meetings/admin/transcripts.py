"""Transcripts as staff see them: how many words, not which."""

from __future__ import annotations

from django.contrib import admin

from core.staff import formatting
from core.staff.filters import ByOrganization
from core.staff.read_only import ReadOnlyAdmin, ReadOnlyInline
from meetings.models import Transcript


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
        return formatting.link(transcript, f"version {transcript.version}")

    @admin.display(description="confidence")
    def sureness(self, transcript: Transcript) -> str:
        return formatting.percent(transcript.confidence)

    @admin.display(description="speech without words")
    def missing(self, transcript: Transcript) -> str:
        return formatting.milliseconds(transcript.uncovered_speech_ms)


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
        (
            "How it was made",
            {"fields": ("engine", "language", "language_probability", "sureness", "left_out")},
        ),
        ("How much", {"fields": ("segment_count", "word_count", "speech", "missing", "voices")}),
        ("Machinery", {"classes": ("collapse",), "fields": ("id", "created_at", "updated_at")}),
    )

    @admin.display(description="transcript", ordering="version")
    def name(self, transcript: Transcript) -> str:
        return f"version {transcript.version}"

    @admin.display(description="meeting")
    def in_meeting(self, transcript: Transcript) -> str:
        return formatting.link(transcript.meeting)

    @admin.display(description="recording")
    def of_recording(self, transcript: Transcript) -> str:
        return formatting.link(transcript.recording)

    @admin.display(description="confidence", ordering="confidence")
    def sureness(self, transcript: Transcript) -> str:
        return formatting.percent(transcript.confidence)

    @admin.display(description="speech")
    def speech(self, transcript: Transcript) -> str:
        return formatting.milliseconds(transcript.speech_ms)

    @admin.display(description="speech without words", ordering="uncovered_speech_ms")
    def missing(self, transcript: Transcript) -> str:
        return formatting.milliseconds(transcript.uncovered_speech_ms)

    @admin.display(description="notes")
    def left_out(self, transcript: Transcript) -> str:
        return ", ".join(note["code"] for note in transcript.notes) or formatting.NOTHING

    @admin.display(description="speakers")
    def voices(self, transcript: Transcript) -> int:
        return transcript.speakers.count()
