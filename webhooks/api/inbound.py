"""Where others tell us something: no key, no session, only the signature."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core import errors
from core.http.address import client_ip
from core.http.parsers import announced_length, read_body
from core.http.views import ApiView
from webhooks.queries import inbound as queries
from webhooks.services import inbound_messages


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


class InboundDoor(ApiView):
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
        source = queries.enabled_source(source_id)
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
