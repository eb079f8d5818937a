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
    list_display = ("name", "scheme", "organization", "state", "created_at")
    list_filter = ("scheme", "is_enabled", "created_at", ByOrganization)
    list_select_related = ("organization",)
    search_fields = ("=id", "name")
    search_help_text = "The id or the name of a source."
    actions = ("disable", "enable")
    fieldsets = (
        (None, {"fields": ("name", "scheme", "organization", "state")}),
        ("Technical details", {"fields": ("id", "previous_until", "created_at", "updated_at")}),
    )

    def action_applies(self, action: str, source: InboundSource) -> bool:
        return source.is_enabled == (action == "disable")

    @admin.display(description="state", ordering="is_enabled")
    def state(self, source: InboundSource) -> str:
        return (
            formatting.label("good", "enabled")
            if source.is_enabled
            else formatting.label("off", "disabled")
        )

    @admin.action(description="Disable")
    def disable(self, request: HttpRequest, chosen: QuerySet[InboundSource]) -> None:
        self._switch(request, chosen, is_enabled=False)

    @admin.action(description="Enable")
    def enable(self, request: HttpRequest, chosen: QuerySet[InboundSource]) -> None:
        self._switch(request, chosen, is_enabled=True)

    def _switch(
        self, request: HttpRequest, chosen: QuerySet[InboundSource], *, is_enabled: bool
    ) -> None:
        for source in chosen:
            try:
                inbound_sources.update_source(source=source, is_enabled=is_enabled)
            except errors.NotFound:
                continue  # deleted since the list was shown
        self.message_user(request, "Enabled." if is_enabled else "Disabled.", messages.SUCCESS)
