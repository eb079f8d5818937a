"""What people were told, for staff who look for a letter that did not arrive."""

from __future__ import annotations

from django.contrib import admin

from core.notifications.models import Notification, NotificationPreference
from core.staff.read_only import ReadOnlyAdmin


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = (
        "title", "kind", "user", "organization", "created_at", "read_at", "wants_email",
        "emailed_at",
    )  # fmt: skip
    list_filter = ("kind", "wants_email", ("emailed_at", admin.EmptyFieldListFilter))
    list_select_related = ("organization", "user")
    search_fields = ("=id", "=subject_id", "user__email")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)


@admin.register(NotificationPreference)
class NotificationPreferenceAdmin(ReadOnlyAdmin):
    list_display = ("user", "organization", "kind", "in_app", "email")
    list_filter = ("kind", "in_app", "email")
    list_select_related = ("organization", "user")
    search_fields = ("user__email",)
