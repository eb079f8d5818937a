"""Exports as staff see them: how they fare, and nothing of what is in them."""

from __future__ import annotations

from django.contrib import admin

from core.staff import formatting
from core.staff.filters import ByOrganization
from core.staff.read_only import ReadOnlyAdmin
from exports.models import Export


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    list_display = (
        "__str__",
        "how",
        "in_meeting",
        "organization",
        "size",
        "work",
        "created_at",
        "expires_at",
    )
    list_filter = ("status", "format", "created_at", ByOrganization)
    list_select_related = ("organization", "meeting", "job", "stored_file", "requested_by")
    search_fields = ("=id", "=meeting__id", "=requested_by__email")
    search_help_text = "The id of an export or its meeting, or who asked for it."
    date_hierarchy = "created_at"
    fieldsets = (
        (None, {"fields": ("how", "format", "in_meeting", "organization", "requested_by")}),
        ("The file", {"fields": ("size", "revision", "notes", "completed_at", "expires_at")}),
        ("The work", {"fields": ("work", "error_code", "error_message")}),
        (
            "Machinery",
            {
                "classes": ("collapse",),
                "fields": ("id", "options", "template_version", "fingerprint", "created_at"),
            },
        ),
    )

    @admin.display(description="status", ordering="status")
    def how(self, export: Export) -> str:
        return formatting.status(export.current_status)

    @admin.display(description="meeting")
    def in_meeting(self, export: Export) -> str:
        return formatting.link(export.meeting)

    @admin.display(description="size", ordering="stored_file__size_bytes")
    def size(self, export: Export) -> str:
        return formatting.size(export.stored_file.size_bytes if export.stored_file else None)

    @admin.display(description="job")
    def work(self, export: Export) -> str:
        return (
            formatting.link(export.job, formatting.status(export.job.status))
            if export.job
            else formatting.NOTHING
        )
