"""`/api/v1/webhooks/deliveries/`: the log of what was owed and sent, and owing it again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.functional import cached_property
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.db.clock import database_now
from core.http.filters import DateTimeFilter
from core.http.serializers import DateTimeField, StrictSerializer
from core.http.views import ReadViewSet
from webhooks.models import Delivery, DeliveryAttempt, DeliveryStatus
from webhooks.models.delivery import REPLAYABLE
from webhooks.queries import deliveries as queries
from webhooks.queries import explanations
from webhooks.services import deliveries as delivery_services


class DeliveryFilter(django_filters.FilterSet):
    """`status`, `event_type`, `endpoint`, `event`, and time of creation."""

    status = django_filters.ChoiceFilter(choices=DeliveryStatus.choices)
    event_type = django_filters.CharFilter()
    endpoint = django_filters.UUIDFilter(field_name="endpoint_id")
    event = django_filters.UUIDFilter(field_name="event_id")
    created_after = DateTimeFilter(field_name="created_at", lookup_expr="gt")
    created_before = DateTimeFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Delivery
        fields = ("status", "event_type", "endpoint", "event")


class AttemptSerializer(serializers.ModelSerializer[DeliveryAttempt]):
    """One attempt: the address and the answer."""

    explanation = serializers.SerializerMethodField()

    class Meta:
        model = DeliveryAttempt
        fields = (
            "number",
            "started_at",
            "duration_ms",
            "status_code",
            "error_kind",
            "explanation",
            "address",
            "excerpt",
        )
        read_only_fields = fields

    def get_explanation(self, attempt: DeliveryAttempt) -> str:
        return explanations.of_attempt(attempt)


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    """One event for one endpoint, and its state."""

    event = serializers.PrimaryKeyRelatedField[Any](read_only=True, help_text="The `webhook-id`.")
    status = serializers.ChoiceField(choices=DeliveryStatus.choices, read_only=True)
    next_attempt_at = DateTimeField(
        source="earliest_attempt_at",
        read_only=True,
        allow_null=True,
        help_text="Not before the end of a pause of its endpoint; null while that is disabled.",
    )
    explanation = serializers.SerializerMethodField(help_text="The state in words.")

    class Meta:
        model = Delivery
        fields = (
            "id",
            "event",
            "event_type",
            "endpoint",
            "status",
            "attempt_count",
            "next_attempt_at",
            "last_status_code",
            "last_error_kind",
            "explanation",
            "created_at",
            "ended_at",
        )
        read_only_fields = fields

    def get_explanation(self, delivery: Delivery) -> str:
        return explanations.of_delivery(delivery, now=self._now)

    @cached_property
    def _now(self) -> datetime:
        """Read once for all deliveries of a list."""
        return database_now()


class DeliveryDetailSerializer(DeliverySerializer):
    """A delivery with its body and its attempts."""

    attempts = serializers.SerializerMethodField()

    class Meta:
        model = Delivery
        fields = (*DeliverySerializer.Meta.fields, "body", "attempts")
        read_only_fields = fields

    @extend_schema_field(AttemptSerializer(many=True))
    def get_attempts(self, delivery: Delivery) -> Any:
        """The last fifty, oldest first."""
        return AttemptSerializer(queries.attempts_of(delivery), many=True).data


class ReplaySerializer(StrictSerializer):
    """The deliveries to send again; without a status, those given up or failed so far.

    `queued` chooses those that wait for another attempt after a failure.
    """

    status = serializers.ChoiceField(choices=REPLAYABLE, required=False)
    event_type = serializers.CharField(max_length=80, required=False)
    endpoint = serializers.UUIDField(required=False)
    event = serializers.UUIDField(required=False)
    created_after = DateTimeField(required=False)
    created_before = DateTimeField(required=False)


class ReplayedSerializer(serializers.Serializer[Any]):
    """The number of deliveries that are sent again."""

    replayed = serializers.IntegerField(
        help_text="How many deliveries. At 10,000 there may be more: ask again."
    )


class DeliveryViewSet(ReadViewSet):
    """Deliveries to your endpoints, newest first. For owners and admins."""

    queryset = Delivery.objects.all()
    serializer_class = DeliverySerializer
    filterset_class = DeliveryFilter
    scope_family = "webhooks"

    def get_queryset(self) -> QuerySet[Any]:
        rows = super().get_queryset()
        return queries.listed(rows) if self.action == "list" else queries.with_endpoint(rows)

    def get_serializer_class(self) -> Any:
        return DeliveryDetailSerializer if self.action == "retrieve" else DeliverySerializer

    @extend_schema(
        operation_id="webhooks_deliveries_replay", request=None, responses={202: DeliverySerializer}
    )
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: str) -> Response:
        """Send a delivery again now.

        The same bytes go out under the same id, also after a success. A delivery that is being
        sent at this moment is refused. A pause of the endpoint ends.
        """
        delivery = delivery_services.replay_delivery(delivery=self.get_object())
        return Response(DeliverySerializer(delivery).data, status=202)

    @extend_schema(
        operation_id="webhooks_deliveries_replay_many",
        request=ReplaySerializer,
        responses={202: ReplayedSerializer},
    )
    @action(detail=False, methods=["post"], url_path="replay", url_name="replay-many")
    def replay_many(self, request: Request) -> Response:
        """Send many deliveries again now.

        Without `status`, those given up or failed so far; of the last 14 days. Pauses of their
        endpoints end.
        """
        asked = ReplaySerializer(data=request.data, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        chosen = queries.filtered(super().get_queryset(), **asked.validated_data)
        replayed = delivery_services.replay_deliveries(deliveries=chosen)
        return Response(ReplayedSerializer({"replayed": replayed}).data, status=202)
