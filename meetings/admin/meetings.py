"""Meetings as staff see them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest

from core.staff import formatting
from core.staff.filters import ByOrganization
from core.staff.read_only import ReadOnlyAdmin
from meetings.admin.analyses import AnalysisInline
from meetings.admin.items import by_status, quotes_of
from meetings.admin.recordings import RecordingInline
from meetings.admin.transcripts import TranscriptInline
from meetings.models import ActionItem, Analysis, Decision, Evidence, Meeting, Recording


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
        (
            "When and where",
            {"fields": ("starts_at", "ends_at", "time_zone", "platform", "language", "tags")},
        ),
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
        return formatting.status(meeting.status)

    @admin.display(description="recordings")
    def recording_count(self, meeting: Any) -> int:
        return meeting.recordings_held or 0

    @admin.display(description="analysis")
    def analysed(self, meeting: Any) -> str:
        return (
            formatting.status(meeting.analysis_status)
            if meeting.analysis_status
            else formatting.NOTHING
        )

    @admin.display(description="decisions")
    def decisions(self, meeting: Meeting) -> str:
        return by_status(Decision.objects.filter(meeting=meeting))

    @admin.display(description="action items")
    def action_items(self, meeting: Meeting) -> str:
        return by_status(ActionItem.objects.filter(meeting=meeting))

    @admin.display(description="evidence")
    def evidence(self, meeting: Meeting) -> str:
        return quotes_of(Evidence.objects.filter(meeting=meeting))
