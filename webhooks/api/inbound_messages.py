"""`/api/v1/hooks/{source}/` receives messages; `/api/v1/webhooks/messages/` shows them."""

from __future__ import annotations

import base64
from http import HTTPStatus
from typing import Any
from uuid import UUID

import django_filters
from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core import errors
from core.http.address import client_ip
from core.http.filters import DateTimeFilter, TruthFilter
from core.http.parsers import announced_length, read_body
from core.http.views import ApiView, ReadViewSet
from webhooks.models import InboundMessage, InboundSource
from webhooks.queries import inbound_messages as queries
from webhooks.queries import inbound_sources as source_queries
from webhooks.services import inbound_messages


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
        return rows if self.detail else queries.without_bodies(rows)


class MessageTooLarge(errors.TooLarge):
    """More than INBOUND_MAX_BYTES."""

    code = "inbound.too_large"
    message = "The message is larger than this server accepts."


class ReceivedSerializer(serializers.Serializer[Any]):
    """An accepted message."""

    id = serializers.UUIDField(source="message.id")
    duplicate = serializers.BooleanField(help_text="True if the same message was accepted before.")


def _header(name: str, schemes: str) -> OpenApiParameter:
    return OpenApiParameter(name, OpenApiTypes.STR, OpenApiParameter.HEADER, description=schemes)


HEADERS = [
    _header("webhook-id", "`standard`"),
    _header("webhook-timestamp", "`standard`"),
    _header("webhook-signature", "`standard`"),
    _header("X-Webhook-Id", "`timestamped`, may be left out"),
    _header("X-Webhook-Timestamp", "`timestamped`"),
    _header("X-Webhook-Signature", "`timestamped`"),
    _header("X-Hub-Signature-256", "`github`"),
    _header("Stripe-Signature", "`stripe`"),
]


class InboundMessageReceiver(ApiView):
    """The address of a source."""

    authentication_classes = ()
    permission_classes = ()
    parser_classes = ()  # what is verified are the bytes
    scope_family = None
    query_parameters = None  # senders add their own
    idempotent = False  # every message has an identity of its own

    @extend_schema(
        operation_id="hooks_receive",
        summary="Send a message to a source",
        description=(
            "For other systems, with the headers of the source's scheme; "
            "[how to sign](/api/docs/webhooks/). The same message again answers 200 and has no "
            "further effect."
        ),
        parameters=HEADERS,
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses={
            202: ReceivedSerializer,
            200: ReceivedSerializer,
            401: OpenApiResponse(description="The signature is missing, wrong, or too old."),
            413: OpenApiResponse(description="The body is larger than the limit."),
        },
    )
    def post(self, request: Request, source_id: UUID) -> Response:
        source = source_queries.enabled_source(source_id)
        received = inbound_messages.receive(
            source=source,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=_body_of(request._request),
            ip=client_ip(request),
        )
        status = HTTPStatus.OK if received.duplicate else HTTPStatus.ACCEPTED
        return Response(ReceivedSerializer(received).data, status=status)


def _body_of(request: HttpRequest) -> bytes:
    """The bytes as they were signed. Raises MessageTooLarge or BodyIncomplete."""
    stream: Any = request  # Django's requests read like files
    return read_body(
        stream,
        announced=announced_length(request),
        limit=settings.INBOUND_MAX_BYTES,
        too_large=MessageTooLarge,
    )
