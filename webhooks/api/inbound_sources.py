"""`/api/v1/webhooks/sources/`: who may tell us something."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.http.address import public_url
from core.http.filters import PAGING
from core.http.serializers import DateTimeField, StrictModelSerializer, StrictSerializer
from core.http.views import ReadViewSet
from webhooks.models import InboundSource, Scheme
from webhooks.queries import inbound_sources as queries
from webhooks.services import inbound_sources
from webhooks.services.inbound_messages import REFUSED

MAX_OVERLAP_SECONDS = 7 * 24 * 3600
FROM_WHOM = (
    "The secret that the sender uses, as chosen at GitHub or shown by Stripe. Default: a new one."
)


class SourceSerializer(StrictModelSerializer):
    """A system that may send messages, without its secret."""

    scheme = serializers.ChoiceField(choices=Scheme.choices, read_only=True)
    url = serializers.SerializerMethodField(help_text="The address to give to the sender.")
    previous_until = DateTimeField(
        read_only=True,
        allow_null=True,
        help_text="Until when the previous secret is accepted too.",
    )

    class Meta:
        model = InboundSource
        fields = ("id", "name", "scheme", "url", "is_enabled", "previous_until", "created_at")
        read_only_fields = ("id", "created_at")

    def get_url(self, source: InboundSource) -> str:
        return public_url(reverse("inbound-receive", kwargs={"source_id": source.id}))


class SourceCreateSerializer(StrictSerializer):
    """A new source."""

    name = serializers.CharField(max_length=100)
    scheme = serializers.ChoiceField(choices=Scheme.choices)
    secret = serializers.CharField(required=False, max_length=1000, help_text=FROM_WHOM)


class RotationSerializer(StrictSerializer):
    """A new secret."""

    secret = serializers.CharField(required=False, max_length=1000, help_text=FROM_WHOM)
    overlap_seconds = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=MAX_OVERLAP_SECONDS,
        help_text="How long the old secret is accepted too; 0 ends it at once. Default: a day.",
    )


class SourceWithSecretSerializer(SourceSerializer):
    """A source with its secret."""

    secret = serializers.CharField(
        read_only=True,
        allow_null=True,
        help_text="Shown once. Null when the answer is repeated for an Idempotency-Key.",
    )

    class Meta:
        model = InboundSource
        fields = (*SourceSerializer.Meta.fields, "secret")
        read_only_fields = fields


class RefusalSerializer(serializers.Serializer[Any]):
    """A message that was refused."""

    created_at = DateTimeField()
    code = serializers.CharField(
        source="data.reason", help_text="The error code that the sender got."
    )
    ip = serializers.IPAddressField(allow_null=True, help_text="The IP address of the sender.")


class SourceViewSet(mixins.UpdateModelMixin, mixins.DestroyModelMixin, ReadViewSet):
    """Other systems that may send messages to this installation. For owners and admins."""

    queryset = InboundSource.objects.all()
    serializer_class = SourceSerializer
    scope_family = "webhooks"
    query_parameters = {"refusals": tuple(sorted(PAGING))}
    unkept_fields = ("secret",)

    @extend_schema(request=SourceCreateSerializer, responses={201: SourceWithSecretSerializer})
    def create(self, request: Request) -> Response:
        """Create a source. Only this answer shows its secret.

        Stripe shows its secret only once it has the URL: create the source without one, give its
        `url` to Stripe, then rotate to the secret that Stripe shows.
        """
        asked = SourceCreateSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        source = inbound_sources.create_source(actor=self.actor, **asked.validated_data)
        return Response(_with_secret(source), status=201)

    def perform_update(self, serializer: Any) -> None:
        changes = serializer.validated_data
        serializer.instance = inbound_sources.update_source(source=serializer.instance, **changes)

    @extend_schema(
        operation_id="webhooks_sources_rotate_secret",
        request=RotationSerializer,
        responses={200: SourceWithSecretSerializer},
    )
    @action(detail=True, methods=["post"], url_path="secret/rotate", url_name="rotate-secret")
    def rotate_secret(self, request: Request, pk: str) -> Response:
        """Replace the secret of a source.

        For `overlap_seconds` the old secret is accepted too.
        """
        asked = RotationSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        source = inbound_sources.rotate_secret(source=self.get_object(), **asked.validated_data)
        return Response(_with_secret(source))

    @extend_schema(operation_id="webhooks_sources_refusals", responses=RefusalSerializer(many=True))
    @action(detail=True)
    def refusals(self, request: Request, pk: str) -> Response:
        """List the messages that were refused.

        Their signature was missing, wrong or too old. Newest first; at most ten per minute are
        kept.
        """
        rows = queries.refusals_of_source(self.get_object(), REFUSED)
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(RefusalSerializer(page, many=True).data)


def _with_secret(source: InboundSource) -> dict[str, Any]:
    return {**SourceSerializer(source).data, "secret": source.secret}
