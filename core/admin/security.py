"""Staff page of security events."""

from __future__ import annotations

from django.contrib import admin

from core.admin.logs import ReadOnlyAdmin
from core.security.models import SecurityEvent


@admin.register(SecurityEvent)
class SecurityEventAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "kind", "severity", "organization", "user", "ip")
    list_select_related = ("organization", "user")
    list_filter = ("severity", "kind")
    search_fields = ("kind", "user__email", "ip", "request_id")
    date_hierarchy = "created_at"
