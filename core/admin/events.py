"""The outbox and the stored files, for staff who look for what happened."""

from __future__ import annotations

from django.contrib import admin

from core.events.models import Event
from core.files.models import StoredFile
from core.staff import formatting
from core.staff.filters import ByEventType, ByOrganization
from core.staff.read_only import ReadOnlyAdmin


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("type", "organization", "about", "actor", "occurred_at", "told", "tries")
    list_filter = (
        ByEventType,
        ("fanned_out_at", admin.EmptyFieldListFilter),
        "occurred_at",
        ByOrganization,
    )
    list_select_related = ("organization", "actor")
    search_fields = ("=id", "=request_id", "=type")
    search_help_text = "The id of an event or of its request, or a type."
    fieldsets = (
        (None, {"fields": ("type", "about", "organization", "actor", "occurred_at", "data_shown")}),
        ("Its listeners", {"fields": ("told", "heard", "tries", "next_try_at", "error")}),
        ("Machinery", {"classes": ("collapse",), "fields": ("id", "version", "request_id")}),
    )

    @admin.display(description="about")
    def about(self, event: Event) -> str:
        return formatting.named_rows(event.data)

    @admin.display(description="listeners")
    def told(self, event: Event) -> str:
        """Whether all of them have run."""
        if event.fanned_out_at is not None:
            return formatting.label("good", "all told")
        return (
            formatting.label("warn", "failing")
            if event.last_error
            else formatting.label("idle", "waiting")
        )

    @admin.display(description="have heard it")
    def heard(self, event: Event) -> str:
        return ", ".join(event.finished) or formatting.NOTHING

    @admin.display(description="data")
    def data_shown(self, event: Event) -> str:
        return formatting.as_json(event.data)

    @admin.display(description="last error")
    def error(self, event: Event) -> str:
        return formatting.folded(event.last_error)


@admin.register(StoredFile)
class StoredFileAdmin(ReadOnlyAdmin):
    list_display = (
        "id", "organization", "media_type", "size", "references", "problem", "verified_at",
        "created_at",
    )  # fmt: skip
    list_filter = ("problem", "created_at", ByOrganization)
    list_select_related = ("organization",)
    search_fields = ("=id", "=sha256", "=key")
    search_help_text = "The id, the SHA-256 or the key of a file."

    @admin.display(description="size", ordering="size_bytes")
    def size(self, file: StoredFile) -> str:
        return formatting.size(file.size_bytes)
