"""The outbox and the stored files, for staff who look for what happened."""

from __future__ import annotations

from django.contrib import admin

from core.admin.logs import ReadOnlyAdmin
from core.events.models import Event
from core.files.models import StoredFile


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("type", "organization", "occurred_at", "tries", "fanned_out_at", "last_error")
    list_filter = ("type", ("fanned_out_at", admin.EmptyFieldListFilter))
    list_select_related = ("organization",)
    search_fields = ("=id", "=request_id", "type")
    ordering = ("-occurred_at",)


@admin.register(StoredFile)
class StoredFileAdmin(ReadOnlyAdmin):
    list_display = ("key", "organization", "media_type", "size_bytes", "references", "created_at")
    list_select_related = ("organization",)
    search_fields = ("=id", "sha256", "key")
    ordering = ("-created_at",)
