"""Serializers that refuse what they do not know, and relations that end at the wall."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from difflib import get_close_matches
from typing import Any, ClassVar

from django.db import models
from django.db.models import Model, QuerySet
from rest_framework import serializers
from rest_framework.relations import MANY_RELATION_KWARGS

from core.http.times import organization_zone, to_utc

UNKNOWN = "There is no such field."
MOST_SUGGESTED = 10  # unknown fields that are compared with the known ones: it takes time


class StrictFields:
    """Refuses unknown fields by name, so that a typing mistake is not silently dropped."""

    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": "Must be a JSON object."}

    def to_internal_value(self, data: Any) -> Any:
        unknown = self._unknown_in(data)
        try:
            values = super().to_internal_value(data)  # type: ignore[misc]
        except serializers.ValidationError as error:
            if not unknown:
                raise
            detail: Any = error.detail  # of a mapping it is one too
            raise serializers.ValidationError({**detail, **unknown}) from error
        if unknown:
            raise serializers.ValidationError(unknown)
        return values

    def _unknown_in(self, data: Any) -> dict[str, list[str]]:
        if not isinstance(data, Mapping):
            return {}
        known = {name for name, field in self.fields.items() if not field.read_only}  # type: ignore[attr-defined]
        unknown = [str(name) for name in data if name not in known]
        suggests = len(unknown) <= MOST_SUGGESTED
        return {name: [self._why(name, known if suggests else set())] for name in unknown}

    def _why(self, name: str, known: set[str]) -> str:
        if name in self.fields:  # type: ignore[attr-defined]
            return "This field cannot be set."
        nearest = get_close_matches(name, known, n=1)
        return f"{UNKNOWN} Did you mean {nearest[0]}?" if nearest else UNKNOWN


class StrictBooleanField(serializers.BooleanField):
    """`true` or `false` and nothing else; DRF's own also takes "yes", "on" and 1."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError("Must be true or false.")
        return data


class StrictSerializer(StrictFields, serializers.Serializer[Any]):
    """A plain serializer that refuses unknown and read-only fields."""


class DateTimeField(serializers.DateTimeField):
    """A moment, shown in UTC; one without a zone is read in `zone`, the organization's.

    Needs `request` in the serializer's context. A date alone is its midnight.
    """

    @property
    def zone(self) -> tzinfo:
        return organization_zone(self.context.get("request"))

    def enforce_timezone(self, value: datetime) -> datetime:
        try:
            return to_utc(value, self.zone if value.utcoffset() is None else UTC)
        except OverflowError:
            self.fail("overflow")


class StrictModelSerializer(StrictFields, serializers.ModelSerializer[Any]):
    """A model serializer that refuses unknown and read-only fields."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.DateTimeField: DateTimeField,
        models.BooleanField: StrictBooleanField,
    }


class VisibleRelatedFields(serializers.ManyRelatedField):
    """A list of references; DRF's own also takes an object, as an empty list."""

    def to_internal_value(self, data: Any) -> Iterable[Any]:
        if not isinstance(data, list):
            self.fail("not_a_list", input_type=type(data).__name__)
        return super().to_internal_value(data)


class VisibleRelatedField(serializers.PrimaryKeyRelatedField[Any]):
    """A reference by id to a row the actor may see; any other id is answered as if there were none.

    Needs a queryset whose model starts at `visible_to(actor)`.
    """

    default_error_messages = {"does_not_exist": "There is no such thing here."}

    @classmethod
    def many_init(cls, *args: Any, **kwargs: Any) -> VisibleRelatedFields:
        of_list = {name: kwargs[name] for name in kwargs if name in MANY_RELATION_KWARGS}
        return VisibleRelatedFields(child_relation=cls(*args, **kwargs), **of_list)

    def get_queryset(self) -> QuerySet[Model]:
        queryset: Any = super().get_queryset()
        actor = getattr(self.context.get("request"), "actor", None)
        visible: QuerySet[Model] = queryset.visible_to(actor) if actor else queryset.none()
        return visible
