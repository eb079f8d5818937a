"""Rows that staff read and never edit."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst


class ReadOnly:
    """No adding, changing or deleting by hand."""

    def has_add_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnly, admin.ModelAdmin):
    """A list and a page of a kind of row, without a form. Newest first: ids are ordered by time."""

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # counting every choice reads the whole table
    list_per_page = 50
    list_select_related: ClassVar[Any] = ()
    ordering: ClassVar[Any] = ("-id",)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Named after what it lists, not after a form."""
        title = {"title": capfirst(self.opts.verbose_name_plural)}
        return super().changelist_view(request, title | (extra_context or {}))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """What the list joins, a row's page shows too."""
        rows = super().get_queryset(request)
        return rows.select_related(*self.list_select_related) if self.list_select_related else rows


class ReadOnlyInline(ReadOnly, admin.TabularInline):
    """Rows of another, without a form, in one query: `joined` names what their cells need."""

    template = "admin/related_rows.html"
    extra = 0
    can_delete = False
    joined: ClassVar[tuple[str, ...]] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows.select_related(*self.joined) if self.joined else rows
