"""Filters of lists that stay cheap however long the list is: their choices come from code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from core.accounts.models import Organization
from core.events.registry import event_types
from core.jobs import policies
from core.jobs.models import JobStatus
from core.jobs.queues import QUEUES

MOST_ORGANIZATIONS = 50


class ByOrganization(admin.SimpleListFilter):
    """The organizations by name, as long as there are few; with many the search box finds them."""

    title = "organization"
    parameter_name = "organization"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = Organization.objects.order_by("name").values_list("id", "name")
        found = [(str(key), name) for key, name in rows[: MOST_ORGANIZATIONS + 1]]
        return found if len(found) <= MOST_ORGANIZATIONS else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(organization=self.value()) if self.value() else queryset


def by(
    field: str, choices: Callable[[], list[str]], *, named: str = ""
) -> type[admin.SimpleListFilter]:
    """A filter of a column whose values the code knows: no DISTINCT over the whole table."""

    class ByField(admin.SimpleListFilter):
        title = named or field.replace("_", " ")
        parameter_name = field

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [(name, name) for name in sorted(choices())]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            return queryset.filter(**{field: self.value()}) if self.value() else queryset

    return ByField


ByKind = by("kind", lambda: [policy.kind for policy in policies.policies()])
ByQueue = by("queue", lambda: list(QUEUES))
ByEventType = by("type", lambda: [kind.name for kind in event_types()])


class ByPart(admin.SimpleListFilter):
    """Jobs that people asked for, unless periodic work and the parts of jobs are wanted too.

    Periodic work that failed is always shown: nobody else looks for it.
    """

    title = "part"
    parameter_name = "part"
    own_names = ("q", "parent__id__exact", "kind")  # these name the jobs that are wanted

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("whole", "And periodic jobs"),
            ("all", "And parts of jobs"),
            ("children", "Parts only"),
        ]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": "Jobs of organizations"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "children":
            return queryset.exclude(parent=None)
        # An action on chosen rows is for those, whatever became of them since they were listed.
        names_rows = request.method == "POST" and request.POST.get("select_across") != "1"
        if names_rows or self.value() == "all" or any(map(request.GET.get, self.own_names)):
            return queryset
        whole = queryset.filter(parent=None)
        if self.value() == "whole" or request.GET.get("queue"):
            return whole
        unsuccessful = (JobStatus.FAILED, JobStatus.DEAD)
        return whole.filter(Q(organization__isnull=False) | Q(status__in=unsuccessful))
