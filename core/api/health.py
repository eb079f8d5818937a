"""`/api/health/live` and `/api/health/ready`: for load balancers and for people on call."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.files import marker
from core.http.views import ApiView
from core.monitoring import dependency_checks, health
from core.monitoring.health import Status

STATUSES = [(status.value, status.value) for status in Status]

dependency_checks.register()
health.register("storage", marker.check_health, critical=True)


class FindingSerializer(serializers.Serializer[Any]):
    """The result of one check."""

    status = serializers.ChoiceField(choices=STATUSES)
    latency_ms = serializers.FloatField()
    problem = serializers.CharField(required=False)


class LiveSerializer(serializers.Serializer[Any]):
    """The process runs."""

    status = serializers.ChoiceField(choices=STATUSES)


class ReadySerializer(LiveSerializer):
    """The worst result, and that of each check."""

    checks = serializers.DictField(child=FindingSerializer())


class OpenView(ApiView):
    """A view for anybody, without a look at who asks."""

    authentication_classes = ()
    permission_classes = ()
    scope_family = None
    query_parameters = None  # probes may add their own


class LiveView(OpenView):
    """Whether the process runs at all; asks no neighbour, so a dead one gets nobody restarted."""

    @extend_schema(operation_id="health_live", responses=LiveSerializer)
    def get(self, request: Request) -> Response:
        """Check that the process runs."""
        return Response({"status": Status.HEALTHY.value})


class ReadyView(OpenView):
    """Whether the process can do its work. Answers within about two seconds whatever hangs."""

    @extend_schema(
        operation_id="health_ready", responses={200: ReadySerializer, 503: ReadySerializer}
    )
    def get(self, request: Request) -> Response:
        """Check that the process can do its work. 503 if it cannot."""
        status, findings = health.examine()
        body = {
            "status": status.value,
            "checks": {name: finding.as_json() for name, finding in findings.items()},
        }
        return Response(body, status=503 if status is Status.UNHEALTHY else 200)
