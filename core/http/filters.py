"""Filters that refuse what they do not understand, as bodies do.

A typing mistake in a filter would otherwise answer with the whole list, and look as if it matched.
"""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import serializers
from rest_framework.request import Request

from core.http.pagination import CursorPages

UNKNOWN = "There is no such filter."
PAGING = frozenset({CursorPages.cursor_parameter, CursorPages.size_parameter})
TRUTHS = {"true": True, "1": True, "false": False, "0": False}


class StrictFilters(DjangoFilterBackend):
    """Refuses parameters that the list does not have. Raises ValidationError naming each."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> Any:
        filterset_class = self.get_filterset_class(view, queryset)
        known = PAGING | set(filterset_class.base_filters if filterset_class else ())
        unknown = [name for name in request.query_params if name not in known]
        if unknown and getattr(view, "detail", None) is False:
            raise serializers.ValidationError({name: [UNKNOWN] for name in unknown})
        return super().filter_queryset(request, queryset, view)


class TruthField(forms.Field):
    """`true` or `false`; Django's own takes anything else for no answer."""

    def to_python(self, value: Any) -> bool | None:
        if value in self.empty_values:
            return None
        try:
            return TRUTHS[str(value).lower()]
        except KeyError:
            raise ValidationError("Say true or false.") from None


class TruthFilter(django_filters.BooleanFilter):
    """A BooleanFilter that refuses what is neither true nor false."""

    field_class = TruthField
