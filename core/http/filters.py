"""Filters that refuse what they do not understand, as bodies do.

A typing mistake in a filter would otherwise answer with the whole list, and look as if it matched.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django_filters.fields import IsoDateTimeField
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import serializers
from rest_framework.request import Request

from core.http.pagination import CursorPages
from core.http.times import organization_zone, to_utc

UNKNOWN = "There is no such filter."
EMPTY = "Give a value, or leave this parameter out."
PAGING = frozenset({CursorPages.cursor_parameter, CursorPages.size_parameter})
TRUTHS = {"true": True, "1": True, "false": False, "0": False}


class StrictFilters(DjangoFilterBackend):
    """Refuses parameters that the list does not have. Raises ValidationError naming each."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> Any:
        filterset_class = self.get_filterset_class(view, queryset)
        filters = set(filterset_class.base_filters if filterset_class else ())
        given = request.query_params
        faults: dict[str, list[str]] = {}
        for name in given:
            if name not in filters | PAGING and getattr(view, "detail", None) is False:
                faults[name] = [f"{UNKNOWN} This list has: {', '.join(sorted(filters | PAGING))}."]
            elif name in filters and not given[name]:
                # An empty value would filter nothing and answer the whole list.
                faults[name] = [EMPTY]
        if faults:
            raise serializers.ValidationError(faults)
        return super().filter_queryset(request, queryset, view)


class MomentField(IsoDateTimeField):
    """A date or time in ISO 8601; one without a zone is read in `zone`."""

    zone: tzinfo = UTC

    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        try:
            return to_utc(datetime.fromisoformat(str(value).strip()), self.zone)
        except (ValueError, OverflowError):
            raise ValidationError("Give a date or a time, as 2026-11-30T09:00.") from None


class DateTimeFilter(django_filters.IsoDateTimeFilter):
    """Compares with a moment; one without a zone is read in the organization's."""

    field_class = MomentField

    @property
    def field(self) -> MomentField:
        field: MomentField = super().field
        field.zone = organization_zone(self.parent.request)
        return field


class TruthField(forms.Field):
    """`true` or `false`; Django's own takes anything else for no answer."""

    def to_python(self, value: Any) -> bool | None:
        if value in self.empty_values:
            return None
        try:
            return TRUTHS[str(value).lower()]
        except KeyError:
            raise ValidationError("Must be true or false.") from None


class TruthFilter(django_filters.BooleanFilter):
    """A BooleanFilter that refuses what is neither true nor false."""

    field_class = TruthField
