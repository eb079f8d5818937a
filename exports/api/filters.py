"""What the list can be narrowed by."""

from __future__ import annotations

import django_filters

from core.http.filters import DateTimeFilter
from exports.models import Export
from exports.renderers.formats import NAMES


class ExportFilter(django_filters.FilterSet):
    """`meeting`, `format`, and time of creation."""

    meeting = django_filters.UUIDFilter(field_name="meeting_id")
    format = django_filters.ChoiceFilter(choices=[(name, name) for name in NAMES])
    created_after = DateTimeFilter(field_name="created_at", lookup_expr="gt")
    created_before = DateTimeFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Export
        fields = ("meeting", "format")
