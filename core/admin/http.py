"""Staff page of idempotency keys."""

from __future__ import annotations

from django.contrib import admin

from core.http.models import IdempotencyKey
from core.staff.filters import ByOrganization
from core.staff.read_only import ReadOnlyAdmin


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "key", "organization", "user", "status", "location")
    list_filter = ("created_at", ByOrganization)
    list_select_related = ("organization", "user", "api_key")
    search_fields = ("=key", "user__email", "organization__name")
    exclude = ("body", "fingerprint")  # an answer may hold what was said in a meeting
