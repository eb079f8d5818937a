"""`/api/v1/webhooks/endpoints/`."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.http.views import ModelViewSet
from webhooks.api.deliveries import DeliverySerializer, ReplayedSerializer
from webhooks.api.endpoint_serializers import (
    CreatedEndpointSerializer,
    EndpointCreateSerializer,
    EndpointSerializer,
    RecoverSerializer,
    RotateSerializer,
    SecretSerializer,
    StatisticsSerializer,
    shown_secret,
)
from webhooks.models import DisabledReason, Endpoint
from webhooks.queries import endpoints as queries
from webhooks.queries import statistics
from webhooks.services import deliveries as delivery_services
from webhooks.services import endpoints as endpoint_services
from webhooks.services import secrets as secret_services


class EndpointViewSet(ModelViewSet):
    """Endpoints of your organization, newest first. For owners and admins."""

    queryset = Endpoint.objects.all()
    serializer_class = EndpointSerializer
    scope_family = "webhooks"
    unkept_fields = ("secret",)

    def get_queryset(self) -> QuerySet[Any]:
        return queries.with_secrets(super().get_queryset())

    def prepare_post(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Look the address of a new endpoint up."""
        if self.action == "create":
            asked = EndpointCreateSerializer(data=request.data)
            asked.is_valid(raise_exception=True)
            endpoint_services.check_new_endpoint(actor=self.actor, url=asked.validated_data["url"])

    @extend_schema(request=EndpointCreateSerializer, responses={201: CreatedEndpointSerializer})
    def create(self, request: Request) -> Response:
        """Create an endpoint. Only this answer shows its secret."""
        asked = EndpointCreateSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        endpoint, secret = endpoint_services.create_endpoint(
            actor=self.actor, **asked.validated_data
        )
        shown = {**EndpointSerializer(endpoint).data, "secret": shown_secret(secret)}
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
        """Enable an endpoint. Waiting deliveries are sent; a pause ends."""
        endpoint = endpoint_services.enable_endpoint(endpoint=self.get_object())
        return Response(self.get_serializer(endpoint).data)

    @extend_schema(
        operation_id="webhooks_endpoints_disable", request=None, responses={200: EndpointSerializer}
    )
    @action(detail=True, methods=["post"])
    def disable(self, request: Request, pk: str) -> Response:
        """Disable an endpoint.

        Nothing is sent to it until it is enabled; events of that time are never sent to it.
        """
        endpoint = endpoint_services.disable_endpoint(
            endpoint=self.get_object(), reason=DisabledReason.BY_HAND, actor=self.actor
        )
        return Response(self.get_serializer(endpoint).data)

    @extend_schema(
        operation_id="webhooks_endpoints_test", request=None, responses={202: DeliverySerializer}
    )
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Send the event `endpoint.test` to an endpoint."""
        delivery = endpoint_services.send_test(endpoint=self.get_object(), actor=self.actor)
        return Response(DeliverySerializer(delivery).data, status=202)

    @extend_schema(
        operation_id="webhooks_endpoints_secret_rotate",
        request=RotateSerializer,
        responses=SecretSerializer,
    )
    @action(detail=True, methods=["post"], url_path="secret/rotate", url_name="rotate-secret")
    def rotate_secret(self, request: Request, pk: str) -> Response:
        """Replace the secret of an endpoint.

        For `overlap_seconds` the old secrets sign as well.
        """
        asked = RotateSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        secret = secret_services.rotate_secret(
            endpoint=self.get_object(),
            scheme=asked.validated_data.get("signature"),
            overlap_seconds=asked.validated_data.get("overlap_seconds"),
        )
        return Response(SecretSerializer(secret).data)

    @extend_schema(operation_id="webhooks_endpoints_statistics", responses=StatisticsSerializer)
    @action(detail=True)
    def statistics(self, request: Request, pk: str) -> Response:
        """Read the statistics of an endpoint for the last day and the last week."""
        endpoint = self.get_object()
        found = statistics.statistics_of(endpoint)
        shown = {
            "waiting": found.waiting,
            "waiting_is_sample": found.waiting_is_sample,
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
        """Send undelivered events again.

        All that were given up or have failed so far since a time are sent now. A pause ends.
        """
        asked = RecoverSerializer(data=request.data, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        replayed = delivery_services.recover(endpoint=self.get_object(), **asked.validated_data)
        return Response(ReplayedSerializer({"replayed": replayed}).data, status=202)
