"""Staff page of idempotency keys."""

from __future__ import annotations

from django.contrib import admin

from core.admin.logs import ReadOnlyAdmin
from core.http.models import IdempotencyKey


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "key", "organization", "user", "status")
    list_select_related = ("organization", "user")
    search_fields = ("key", "user__email", "organization__name")
    exclude = ("body",)
