"""Staff page of security events."""

from __future__ import annotations

from django.contrib import admin

from core.security.models import SecurityEvent
from core.staff import formatting
from core.staff.filters import ByOrganization
from core.staff.read_only import ReadOnlyAdmin


@admin.register(SecurityEvent)
class SecurityEventAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "weight", "kind", "organization", "user", "ip")
    list_select_related = ("organization", "user")
    list_filter = ("severity", "kind", ByOrganization)
    search_fields = ("=kind", "user__email", "=ip", "=request_id")
    search_help_text = "A kind, a person's address, an IP address or the id of a request."
    date_hierarchy = "created_at"
    fieldsets = (
        (None, {"fields": ("created_at", "weight", "kind", "data_shown")}),
        ("Who and where from", {"fields": ("organization", "user", "ip", "request_id")}),
    )

    @admin.display(description="severity", ordering="severity")
    def weight(self, event: SecurityEvent) -> str:
        return formatting.status(event.severity)

    @admin.display(description="data")
    def data_shown(self, event: SecurityEvent) -> str:
        return formatting.as_json(event.data)
