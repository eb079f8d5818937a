"""`/api/v1/webhooks/endpoints/` and `/api/v1/webhooks/event-types/`."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.http.serializers import StrictModelSerializer, StrictSerializer
from core.http.views import ApiView, ModelViewSet
from webhooks.api.deliveries import DeliverySerializer, ReplayedSerializer
from webhooks.models import DisabledReason, Endpoint, EndpointSecret, SignatureScheme
from webhooks.queries import catalogue, explanations, statistics
from webhooks.queries import endpoints as queries
from webhooks.services import deliveries as delivery_services
from webhooks.services import endpoints as endpoint_services
from webhooks.services import secrets as secret_services

MOST_PATTERNS = 50
MOST_PER_SECOND = 1000
MOST_OVERLAP_SECONDS = 7 * 86_400


class EventTypeSerializer(serializers.Serializer[Any]):
    """A type of event: what it means, and the shape of what is sent."""

    name = serializers.CharField()
    version = serializers.IntegerField()
    meaning = serializers.CharField()
    schema = serializers.DictField(
        source="*", help_text="JSON Schema (2020-12) of the body. More fields may follow."
    )
    example = serializers.DictField(source="*")

    def to_representation(self, kind: Any) -> dict[str, Any]:
        return {
            "name": kind.name,
            "version": kind.version,
            "meaning": kind.meaning,
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
        """Every type of event that an endpoint can hear of."""
        return Response(EventTypeSerializer(catalogue.catalogue(), many=True).data)


class EndpointSerializer(StrictModelSerializer):
    """An address of yours, the types of events it hears, and how sending to it fares."""

    url = serializers.CharField(
        max_length=2048, help_text="https, at a public address; checked now and at every send."
    )
    event_types = serializers.ListField(
        child=serializers.CharField(max_length=80),
        allow_empty=False,
        max_length=MOST_PATTERNS,
        help_text="Names from the catalogue, or patterns: `export.*`, `*` for all.",
    )
    rate_limit_per_second = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=MOST_PER_SECOND
    )
    signature = serializers.ChoiceField(
        choices=SignatureScheme.choices,
        source="current_secret.scheme",
        read_only=True,
        help_text="How deliveries are signed: `v1` with a shared secret, `v1a` with a key pair.",
    )
    public_key = serializers.CharField(
        source="current_secret.public_key",
        read_only=True,
        help_text="`whpk_...`, what verifies `v1a`; empty for `v1`.",
    )
    is_enabled = serializers.BooleanField(read_only=True)
    explanation = serializers.SerializerMethodField(help_text="How it is, in words.")
    failing_since = serializers.DateTimeField(
        read_only=True, allow_null=True, help_text="The first failure after the last success."
    )
    paused_until = serializers.DateTimeField(
        read_only=True,
        allow_null=True,
        help_text="Nothing is sent before then: it failed several times in a row, or asked for it.",
    )

    class Meta:
        model = Endpoint
        fields = (
            "id",
            "url",
            "description",
            "event_types",
            "rate_limit_per_second",
            "signature",
            "public_key",
            "is_enabled",
            "explanation",
            "disabled_at",
            "disabled_reason",
            "failing_since",
            "paused_until",
            "last_success_at",
            "created_at",
            "updated_at",
        )
        read_only_fields = (
            "disabled_at",
            "disabled_reason",
            "last_success_at",
        )

    def validate_event_types(self, patterns: list[str]) -> list[str]:
        unknown = catalogue.unknown_patterns(patterns)
        if unknown:
            raise serializers.ValidationError(f"No type of event fits {', '.join(unknown)}.")
        return list(dict.fromkeys(patterns))

    def get_explanation(self, endpoint: Endpoint) -> str:
        return explanations.of_endpoint(endpoint)


class EndpointCreateSerializer(EndpointSerializer):
    """A new endpoint; its secret is shown in the answer and never again."""

    signature = serializers.ChoiceField(choices=SignatureScheme.choices, default=SignatureScheme.V1)
    secret = serializers.CharField(
        required=False,
        max_length=100,
        write_only=True,
        help_text="`whsec_...`, if your receiver has one already; made for you unless you give it.",
    )

    class Meta:
        model = Endpoint
        fields = (*EndpointSerializer.Meta.fields, "secret")
        read_only_fields = EndpointSerializer.Meta.read_only_fields


SHOWN_ONCE = "Shown once. Null for `v1a`, and when an answer is repeated for an Idempotency-Key."


class CreatedEndpointSerializer(EndpointSerializer):
    """A new endpoint with its secret, this one time."""

    secret = serializers.CharField(read_only=True, allow_null=True, help_text=SHOWN_ONCE)

    class Meta:
        model = Endpoint
        fields = (*EndpointSerializer.Meta.fields, "secret")
        read_only_fields = EndpointSerializer.Meta.read_only_fields


class RotateSerializer(StrictSerializer):
    """How a secret is replaced."""

    signature = serializers.ChoiceField(
        choices=SignatureScheme.choices, required=False, help_text="Left out, it stays as it is."
    )
    overlap_seconds = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=MOST_OVERLAP_SECONDS,
        help_text="How long the old secrets go on signing; 0 ends them at once. A day, usually.",
    )


class SecretSerializer(serializers.Serializer[Any]):
    """What signs from now on."""

    signature = serializers.CharField(source="scheme")
    secret = serializers.SerializerMethodField(help_text=SHOWN_ONCE)
    public_key = serializers.CharField()

    def get_secret(self, made: EndpointSecret) -> str | None:
        return shown_secret(made)


def shown_secret(made: EndpointSecret) -> str | None:
    """What the receiver needs to know; private keys are for nobody."""
    return made.secret if made.scheme == SignatureScheme.V1 else None


class PeriodSerializer(serializers.Serializer[Any]):
    """What became of the events of a time."""

    deliveries = serializers.DictField(
        child=serializers.IntegerField(), help_text="How many, by their status now."
    )
    is_sample = serializers.BooleanField(help_text="Only the newest 10,000 are counted.")
    success_rate = serializers.FloatField(
        allow_null=True, help_text="Of the deliveries that have ended."
    )
    attempts = serializers.IntegerField()
    attempts_succeeded = serializers.IntegerField()
    duration_ms_p50 = serializers.IntegerField(allow_null=True)
    duration_ms_p95 = serializers.IntegerField(allow_null=True)


class StatisticsSerializer(serializers.Serializer[Any]):
    """How sending to an endpoint fares."""

    waiting = serializers.IntegerField()
    oldest_waiting_at = serializers.DateTimeField(allow_null=True)
    failing_since = serializers.DateTimeField(allow_null=True)
    last_day = PeriodSerializer()
    last_week = PeriodSerializer()


class RecoverSerializer(StrictSerializer):
    """Which time to make up for."""

    since = serializers.DateTimeField(help_text="At most 14 days ago.")
    until = serializers.DateTimeField(required=False)


class EndpointViewSet(ModelViewSet):
    """Where your organization listens, newest first."""

    queryset = Endpoint.objects.all()
    serializer_class = EndpointSerializer
    scope_family = "webhooks"
    unkept_fields = ("secret",)

    def get_queryset(self) -> QuerySet[Any]:
        return queries.whole(super().get_queryset())

    @extend_schema(request=EndpointCreateSerializer, responses={201: CreatedEndpointSerializer})
    def create(self, request: Request) -> Response:
        """Create an endpoint. The answer shows its secret, for the only time."""
        asked = EndpointCreateSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        endpoint, made = endpoint_services.create_endpoint(actor=self.actor, **asked.validated_data)
        shown = {**EndpointSerializer(endpoint).data, "secret": shown_secret(made)}
        return Response(shown, status=201)

    def perform_update(self, serializer: Any) -> None:
        serializer.instance = endpoint_services.update_endpoint(
            endpoint=serializer.instance, **serializer.validated_data
        )

    def perform_destroy(self, instance: Endpoint) -> None:
        """With everything it is owed and was sent."""
        endpoint_services.delete_endpoint(endpoint=instance)

    @extend_schema(
        operation_id="webhooks_endpoints_enable", request=None, responses={200: EndpointSerializer}
    )
    @action(detail=True, methods=["post"])
    def enable(self, request: Request, pk: str) -> Response:
        """Send to an endpoint again, what waited first. Ends a pause too."""
        endpoint = endpoint_services.enable_endpoint(endpoint=self.get_object())
        return Response(self.get_serializer(endpoint).data)

    @extend_schema(
        operation_id="webhooks_endpoints_disable", request=None, responses={200: EndpointSerializer}
    )
    @action(detail=True, methods=["post"])
    def disable(self, request: Request, pk: str) -> Response:
        """Send nothing to an endpoint until it is enabled. What happens meanwhile is not owed."""
        endpoint = endpoint_services.disable_endpoint(
            endpoint=self.get_object(), reason=DisabledReason.BY_HAND, actor=self.actor
        )
        return Response(self.get_serializer(endpoint).data)

    @extend_schema(
        operation_id="webhooks_endpoints_test", request=None, responses={202: DeliverySerializer}
    )
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Send `endpoint.test` to an endpoint, whatever it listens to."""
        delivery = endpoint_services.send_test(endpoint=self.get_object(), actor=self.actor)
        return Response(DeliverySerializer(delivery).data, status=202)

    @extend_schema(
        operation_id="webhooks_endpoints_secret_rotate",
        request=RotateSerializer,
        responses=SecretSerializer,
    )
    @action(detail=True, methods=["post"], url_path="secret/rotate", url_name="rotate-secret")
    def rotate_secret(self, request: Request, pk: str) -> Response:
        """Sign with a new secret, and for a while with the old ones too."""
        asked = RotateSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        made = secret_services.rotate_secret(
            endpoint=self.get_object(),
            scheme=asked.validated_data.get("signature"),
            overlap_seconds=asked.validated_data.get("overlap_seconds"),
        )
        return Response(SecretSerializer(made).data)

    @extend_schema(operation_id="webhooks_endpoints_statistics", responses=StatisticsSerializer)
    @action(detail=True)
    def statistics(self, request: Request, pk: str) -> Response:
        """How sending to an endpoint fared in the last day and the last week."""
        endpoint = self.get_object()
        found = statistics.statistics_of(endpoint)
        shown = {
            "waiting": found.waiting,
            "oldest_waiting_at": found.oldest_waiting_at,
            "failing_since": endpoint.failing_since,
            **found.periods,
        }
        return Response(StatisticsSerializer(shown).data)

    @extend_schema(
        operation_id="webhooks_endpoints_recover",
        request=RecoverSerializer,
        responses={202: ReplayedSerializer},
    )
    @action(detail=True, methods=["post"])
    def recover(self, request: Request, pk: str) -> Response:
        """Deliver again what was given up since a time."""
        asked = RecoverSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        replayed = delivery_services.recover(endpoint=self.get_object(), **asked.validated_data)
        return Response(ReplayedSerializer({"replayed": replayed}).data, status=202)
