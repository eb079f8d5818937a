"""`/api/v1/webhooks/messages/`: what others told us."""

from __future__ import annotations

import base64
from typing import Any

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers

from core.http.filters import DateTimeFilter, TruthFilter
from core.http.views import ReadViewSet
from webhooks.models import InboundMessage, InboundSource
from webhooks.queries import inbound as queries


class MessageFilter(django_filters.FilterSet):
    """`source`, `type`, `message_id`, whether handled, and time of creation."""

    source = django_filters.UUIDFilter(field_name="source_id")
    type = django_filters.CharFilter(max_length=255)
    message_id = django_filters.CharFilter(max_length=255)
    handled = TruthFilter(field_name="handled_at", lookup_expr="isnull", exclude=True)
    created_after = DateTimeFilter(field_name="created_at", lookup_expr="gt")
    created_before = DateTimeFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = InboundMessage
        fields = ("source", "type", "message_id")


class MessageSerializer(serializers.ModelSerializer[InboundMessage]):
    """A message from another system, without its body."""

    source = serializers.PrimaryKeyRelatedField[InboundSource](  # type: ignore[assignment]
        read_only=True
    )
    job = serializers.PrimaryKeyRelatedField[Any](read_only=True, allow_null=True)

    class Meta:
        model = InboundMessage
        fields = (
            "id",
            "source",
            "message_id",
            "type",
            "object_id",
            "content_type",
            "size_bytes",
            "received_at",
            "handled_at",
            "job",
            "created_at",
        )
        read_only_fields = fields


class MessageDetailSerializer(MessageSerializer):
    """A message with its body; both forms are null once the body was removed."""

    body = serializers.SerializerMethodField(help_text="The body as text; null if it is not text.")
    body_base64 = serializers.SerializerMethodField(
        help_text="The body in base64, if it is not text."
    )

    class Meta:
        model = InboundMessage
        fields = (*MessageSerializer.Meta.fields, "body", "body_base64")
        read_only_fields = fields

    def get_body(self, message: InboundMessage) -> str | None:
        return None if message.body is None else _text(bytes(message.body))

    def get_body_base64(self, message: InboundMessage) -> str | None:
        if message.body is None or _text(bytes(message.body)) is not None:
            return None
        return base64.b64encode(message.body).decode()


def _text(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


class MessageViewSet(ReadViewSet):
    """Messages of your sources, newest first. For owners and admins."""

    queryset = InboundMessage.objects.all()
    filterset_class = MessageFilter
    scope_family = "webhooks"

    def get_serializer_class(self) -> Any:
        return MessageDetailSerializer if self.detail else MessageSerializer

    def get_queryset(self) -> QuerySet[Any]:
        rows = super().get_queryset()
        return rows if self.detail else queries.in_the_log(rows)
