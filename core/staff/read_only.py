"""Rows that staff read and never edit."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
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
    """A list and a page of a kind of row, without a form. Newest first: ids are ordered by time.

    The actions of the list are offered on the page of a row too, as far as they apply to it.
    """

    change_form_template = "admin/row_page.html"

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

    def action_applies(self, _action: str, _row: Any) -> bool:
        """Whether the page of this row offers the action."""
        return True

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """The page of a row, under its actions."""
        row = context["original"]
        context["row_actions"] = [
            choice
            for choice in self.get_action_choices(request, default_choices=[])
            if self.action_applies(choice[0], row)
        ]
        return super().render_change_form(request, context, *args, **kwargs)

    def change_view(
        self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The page of a row, or one of its actions, after which the page is shown again."""
        if request.method != "POST":
            return super().change_view(request, object_id, *args, **kwargs)
        if not self.has_view_permission(request):
            raise PermissionDenied
        action = self.get_actions(request).get(request.POST.get("action", ""))
        if action is None:
            self.message_user(request, "There is no such action here.", messages.WARNING)
        else:
            act: Any = action[0]
            act(self, request, self.get_queryset(request).filter(pk=unquote(object_id)))
        return HttpResponseRedirect(request.path)

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
