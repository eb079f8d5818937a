"""`/api/v1/webhooks/event-types/`: the catalogue."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.http.views import ApiView
from webhooks.queries import catalogue


class EventTypeSerializer(serializers.Serializer[Any]):
    """A type of event with the JSON Schema of its body."""

    name = serializers.CharField()
    version = serializers.IntegerField()
    description = serializers.CharField()
    schema = serializers.DictField(
        source="*", help_text="JSON Schema (2020-12) of the body. Later versions may add fields."
    )
    example = serializers.DictField(source="*")

    def to_representation(self, kind: Any) -> dict[str, Any]:
        return {
            "name": kind.name,
            "version": kind.version,
            "description": kind.description,
            "schema": catalogue.schema_of(kind),
            "example": catalogue.example_of(kind),
        }


class EventTypeListView(ApiView):
    """The catalogue."""

    scope_family = None

    @extend_schema(
        operation_id="webhooks_event_types_list", responses=EventTypeSerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        """List the types of events that an endpoint can receive."""
        return Response(EventTypeSerializer(catalogue.catalogue(), many=True).data)
