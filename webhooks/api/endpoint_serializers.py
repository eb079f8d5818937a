"""The shapes of endpoints, their secrets and their statistics as clients see them."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any

from rest_framework import serializers

from core.db.clock import database_now
from core.http.serializers import DateTimeField, StrictModelSerializer, StrictSerializer
from webhooks.models import Endpoint, EndpointSecret, SignatureScheme
from webhooks.models.endpoint import DisabledReason
from webhooks.queries import catalogue, explanations

MAX_PATTERNS = 50
MAX_PER_SECOND = 1000
MAX_OVERLAP_SECONDS = 7 * 86_400
SHOWN_ONCE = "Shown once. Null for `v1a`, and when an answer is repeated for an Idempotency-Key."


class EndpointSerializer(StrictModelSerializer):
    """An endpoint: its URL, its types of events, and its state."""

    url = serializers.CharField(
        max_length=2048,
        help_text="An https URL with a public address; checked now and at every attempt.",
    )
    event_types = serializers.ListField(
        child=serializers.CharField(max_length=80),
        allow_empty=False,
        max_length=MAX_PATTERNS,
        help_text="Names of event types, or patterns: `export.*`, `*` for all.",
    )
    rate_limit_per_second = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=MAX_PER_SECOND
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
        help_text="`whpk_...`, to verify `v1a`; empty for `v1`.",
    )
    is_enabled = serializers.BooleanField(read_only=True)
    explanation = serializers.SerializerMethodField(help_text="The state in words.")
    disabled_reason = serializers.ChoiceField(
        choices=DisabledReason.choices,
        allow_blank=True,
        read_only=True,
        help_text="Why it is disabled; empty while it is enabled.",
    )
    failing_since = DateTimeField(
        read_only=True, allow_null=True, help_text="The first failure after the last success."
    )
    paused_until = DateTimeField(
        read_only=True,
        allow_null=True,
        help_text="Nothing is sent before, after several failures in a row or a `Retry-After`.",
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
        unknown = catalogue.unmatched_patterns(patterns)
        if unknown:
            raise serializers.ValidationError(f"No type of event fits {', '.join(unknown)}.")
        return list(dict.fromkeys(patterns))

    def get_explanation(self, endpoint: Endpoint) -> str:
        return explanations.of_endpoint(endpoint, now=self._now)

    @cached_property
    def _now(self) -> datetime:
        """Asked for once, for however many endpoints."""
        return database_now()


class EndpointCreateSerializer(EndpointSerializer):
    """A new endpoint. Only the answer shows its secret."""

    signature = serializers.ChoiceField(choices=SignatureScheme.choices, default=SignatureScheme.V1)
    secret = serializers.CharField(
        required=False,
        max_length=100,
        write_only=True,
        help_text="`whsec_...`, if your receiver has one already. Default: a new one.",
    )

    class Meta:
        model = Endpoint
        fields = (*EndpointSerializer.Meta.fields, "secret")
        read_only_fields = EndpointSerializer.Meta.read_only_fields


class CreatedEndpointSerializer(EndpointSerializer):
    """A new endpoint with its secret."""

    secret = serializers.CharField(read_only=True, allow_null=True, help_text=SHOWN_ONCE)

    class Meta:
        model = Endpoint
        fields = (*EndpointSerializer.Meta.fields, "secret")
        read_only_fields = EndpointSerializer.Meta.read_only_fields


class RotateSerializer(StrictSerializer):
    """A new secret."""

    signature = serializers.ChoiceField(
        choices=SignatureScheme.choices, required=False, help_text="Default: as before."
    )
    overlap_seconds = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=MAX_OVERLAP_SECONDS,
        help_text="How long the old secrets sign as well; 0 ends them at once. Default: a day.",
    )


class SecretSerializer(serializers.Serializer[Any]):
    """The new secret."""

    signature = serializers.CharField(source="scheme")
    secret = serializers.SerializerMethodField(help_text=SHOWN_ONCE)
    public_key = serializers.CharField()

    def get_secret(self, secret: EndpointSecret) -> str | None:
        return shown_secret(secret)


def shown_secret(secret: EndpointSecret) -> str | None:
    """What the receiver needs to know; private keys are for nobody."""
    return secret.secret if secret.scheme == SignatureScheme.V1 else None


class PeriodSerializer(serializers.Serializer[Any]):
    """Deliveries of a period."""

    deliveries = serializers.DictField(
        child=serializers.IntegerField(), help_text="Numbers by present status."
    )
    is_sample = serializers.BooleanField(help_text="True if only the newest 10,000 were counted.")
    success_rate = serializers.FloatField(
        allow_null=True, help_text="Of the deliveries that have ended."
    )
    attempts = serializers.IntegerField()
    attempts_succeeded = serializers.IntegerField()
    duration_ms_p50 = serializers.IntegerField(allow_null=True)
    duration_ms_p95 = serializers.IntegerField(allow_null=True)


class StatisticsSerializer(serializers.Serializer[Any]):
    """Statistics of an endpoint."""

    waiting = serializers.IntegerField()
    waiting_is_sample = serializers.BooleanField(
        help_text="True if only the 10,000 that are due next were counted."
    )
    oldest_waiting_at = DateTimeField(allow_null=True)
    failing_since = DateTimeField(allow_null=True)
    last_day = PeriodSerializer()
    last_week = PeriodSerializer()


class RecoverSerializer(StrictSerializer):
    """The period whose undelivered events are sent again."""

    since = DateTimeField(help_text="At most 14 days ago.")
    until = DateTimeField(required=False)
