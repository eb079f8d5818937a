"""Analyses as staff see them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join

from core.staff import formatting
from core.staff.filters import ByOrganization
from core.staff.read_only import ReadOnlyAdmin, ReadOnlyInline
from meetings import queries
from meetings.admin.items import by_status
from meetings.admin.machinery import job_link
from meetings.models import ActionItem, Analysis, AnalysisSection, AnalysisStatus, Decision


class AnalysisInline(ReadOnlyInline):
    model = Analysis
    fields = readonly_fields = ("name", "how", "engine", "language", "work", "created_at")
    joined = ("job",)
    ordering = ("-version",)

    @admin.display(description="version")
    def name(self, analysis: Analysis) -> str:
        return formatting.link(analysis, f"version {analysis.version}")

    @admin.display(description="status")
    def how(self, analysis: Analysis) -> str:
        return formatting.status(analysis.current_status)

    @admin.display(description="job")
    def work(self, analysis: Analysis) -> str:
        return job_link(analysis.job)


def coverage(section: AnalysisSection) -> str:
    """From how many of all turns a section was made."""
    if section.turns_total is None:
        return formatting.NOTHING
    return f"{section.turns_used} of {section.turns_total} turns"


class SectionInline(ReadOnlyInline):
    model = AnalysisSection
    verbose_name_plural = "sections"
    fields = readonly_fields = ("section", "how", "used", "remarks", "error_code", "work")
    joined = ("job",)
    ordering = ("section",)

    @admin.display(description="status")
    def how(self, section: AnalysisSection) -> str:
        return formatting.status(section.current_status)

    @admin.display(description="made from")
    def used(self, section: AnalysisSection) -> str:
        return coverage(section)

    @admin.display(description="notes")
    def remarks(self, section: AnalysisSection) -> str:
        return ", ".join(section.notes) or formatting.NOTHING

    @admin.display(description="job")
    def work(self, section: AnalysisSection) -> str:
        return job_link(section.job)


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
    list_select_related = ("organization", "meeting", "job")
    search_fields = ("=id", "=meeting__id", "=transcripts__id", "=engine")
    search_help_text = "The id of an analysis, its meeting or a transcript of it; or an engine."
    inlines = (SectionInline,)
    fieldsets = (
        (None, {"fields": ("how", "in_meeting", "read", "organization", "version")}),
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
        return formatting.status(analysis.current_status)

    @admin.display(description="meeting")
    def in_meeting(self, analysis: Analysis) -> str:
        return formatting.link(analysis.meeting)

    @admin.display(description="transcripts")
    def read(self, analysis: Analysis) -> str:
        transcripts = queries.transcripts_read_by(analysis)
        links = [(formatting.link(row, f"version {row.version}"),) for row in transcripts]
        return format_html_join(", ", "{}", links) or formatting.NOTHING

    @admin.display(description="job")
    def work(self, analysis: Analysis) -> str:
        return job_link(analysis.job)

    @admin.display(description="decisions")
    def decisions(self, analysis: Analysis) -> str:
        return by_status(Decision.objects.filter(analysis=analysis))

    @admin.display(description="action items")
    def action_items(self, analysis: Analysis) -> str:
        return by_status(ActionItem.objects.filter(analysis=analysis))
