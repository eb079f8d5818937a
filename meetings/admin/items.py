"""Decisions and action items as staff see them: what became of them, without their words."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, Q, QuerySet

from core.staff import formatting
from core.staff.filters import ByOrganization
from core.staff.read_only import ReadOnlyAdmin
from meetings.models import ActionItem, Decision, Evidence


def by_status(items: QuerySet[Any]) -> str:
    """How many items there are of each status, in one query."""
    counted = items.order_by("status").values_list("status").annotate(Count("id"))
    return ", ".join(f"{number} {status}" for status, number in counted) or formatting.NOTHING


def quotes_of(rows: QuerySet[Evidence]) -> str:
    """How many quotes there are, and how many of them stand in their segment letter by letter."""
    found = rows.aggregate(all=Count("id"), verified=Count("id", filter=Q(verified=True)))
    if not found["all"]:
        return formatting.NOTHING
    return f"{found['all']} quotes, {found['verified']} verified"


class ItemAdmin(ReadOnlyAdmin):
    """Items by what became of them, without their words."""

    list_filter: ClassVar[Any] = ("status", "created_at", ByOrganization)
    list_select_related: ClassVar[Any] = ("organization", "meeting", "analysis")
    search_fields = ("=id", "=meeting__id", "=analysis__id")
    search_help_text = "The id of an item, its meeting or its analysis."

    @admin.display(description="meeting")
    def in_meeting(self, item: Any) -> str:
        return formatting.link(item.meeting)

    @admin.display(description="analysis")
    def of_analysis(self, item: Any) -> str:
        return formatting.link(item.analysis, f"version {item.analysis.version}")

    @admin.display(description="status", ordering="status")
    def how(self, item: Any) -> str:
        return formatting.status(item.status)

    @admin.display(description="confidence", ordering="confidence")
    def sureness(self, item: Any) -> str:
        return formatting.percent(item.confidence)

    @admin.display(description="reworded")
    def reworded(self, item: Any) -> str:
        return "yes" if item.text != item.found_text else "no"

    @admin.display(description="evidence")
    def evidence(self, item: Any) -> str:
        return quotes_of(item.evidence.all())


@admin.register(Decision)
class DecisionAdmin(ItemAdmin):
    list_display = ("id", "how", "in_meeting", "organization", "sureness", "created_at")
    fieldsets = (
        (None, {"fields": ("how", "in_meeting", "of_analysis", "organization")}),
        ("How it was found", {"fields": ("sureness", "evidence", "reworded")}),
        ("Machinery", {"classes": ("collapse",), "fields": ("id", "created_at", "updated_at")}),
    )


@admin.register(ActionItem)
class ActionItemAdmin(ItemAdmin):
    list_display = (
        "id",
        "how",
        "in_meeting",
        "organization",
        "owner",
        "due_on",
        "completed_at",
        "sureness",
        "created_at",
    )
    list_filter = ("status", "due_on", "created_at", ByOrganization)
    list_select_related = ("organization", "meeting", "analysis", "owner")
    fieldsets = (
        (None, {"fields": ("how", "in_meeting", "of_analysis", "organization")}),
        ("By whom and when", {"fields": ("owner", "due_on", "completed_at")}),
        ("How it was found", {"fields": ("sureness", "evidence", "reworded")}),
        ("Machinery", {"classes": ("collapse",), "fields": ("id", "created_at", "updated_at")}),
    )
