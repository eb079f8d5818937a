"""Inbound sources as staff see them; their secrets are never shown."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from core import errors
from core.staff import formatting
from core.staff.filters import ByOrganization
from core.staff.read_only import ReadOnlyAdmin
from webhooks.models import InboundSource
from webhooks.services import inbound_sources


@admin.register(InboundSource)
class InboundSourceAdmin(ReadOnlyAdmin):
    list_display = ("name", "scheme", "organization", "subscribes_to", "created_at")
    list_filter = ("scheme", "is_enabled", "created_at", ByOrganization)
    list_select_related = ("organization",)
    search_fields = ("=id", "name")
    search_help_text = "The id or the name of a source."
    actions = ("close", "open")
    fieldsets = (
        (None, {"fields": ("name", "scheme", "organization", "subscribes_to")}),
        ("Machinery", {"fields": ("id", "previous_until", "created_at", "updated_at")}),
    )

    def action_applies(self, action: str, source: InboundSource) -> bool:
        return source.is_enabled == (action == "close")

    @admin.display(description="state", ordering="is_enabled")
    def subscribes_to(self, source: InboundSource) -> str:
        return (
            formatting.label("good", "open")
            if source.is_enabled
            else formatting.label("off", "closed")
        )

    @admin.action(description="Close: hear nothing from it")
    def close(self, request: HttpRequest, chosen: QuerySet[InboundSource]) -> None:
        self._switch(request, chosen, is_enabled=False)

    @admin.action(description="Open")
    def open(self, request: HttpRequest, chosen: QuerySet[InboundSource]) -> None:
        self._switch(request, chosen, is_enabled=True)

    def _switch(
        self, request: HttpRequest, chosen: QuerySet[InboundSource], *, is_enabled: bool
    ) -> None:
        for source in chosen:
            try:
                inbound_sources.update_source(source=source, is_enabled=is_enabled)
            except errors.NotFound:
                continue  # deleted since the list was shown
        self.message_user(request, "Opened." if is_enabled else "Closed.", messages.SUCCESS)
