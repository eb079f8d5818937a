"""Views that do nothing but what one test needs, on the real kit."""

from __future__ import annotations

import threading
from typing import Any, ClassVar

from django.core.exceptions import SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path
from rest_framework import exceptions as drf_errors
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core import errors
from core.accounts.models import Team
from core.http.serializers import StrictSerializer
from core.http.views import ApiView

handler400 = "core.http.errors.bad_request"
handler403 = "core.http.errors.permission_denied"
handler404 = "core.http.errors.page_not_found"
handler500 = "core.http.errors.server_error"


class OpenView(ApiView):
    authentication_classes = ()
    permission_classes = ()
    scope_family = None
    query_parameters = None


class Echo(OpenView):
    """Answers the body it was sent."""

    def post(self, request: Request) -> Response:
        return Response({"body": request.data})


class ItemSerializer(StrictSerializer):
    name = serializers.CharField(max_length=5)


class OrderSerializer(StrictSerializer):
    title = serializers.CharField(max_length=5)
    items = ItemSerializer(many=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["title"] == "never":
            raise serializers.ValidationError("Never is not a title.")
        return attrs


class Order(OpenView):
    def post(self, request: Request) -> Response:
        asked = OrderSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return Response(asked.validated_data)


RAISED: dict[str, Any] = {
    "quota": errors.QuotaExceeded,
    "busy": lambda: errors.TooBusy(retry_after=2.2),
    "throttled": lambda: drf_errors.Throttled(wait=7),
    "conflict": errors.Conflict,
    "http404": Http404,
    "denied": drf_errors.PermissionDenied,
    "suspicious": SuspiciousOperation,
    "django": lambda: DjangoValidationError({"name": ["Too odd."]}),
    "missing": Team.DoesNotExist,
    "mistake": ZeroDivisionError,
}


class Raise(OpenView):
    def get(self, request: Request, what: str) -> Response:
        error = RAISED[what]
        raise error() if callable(error) else error


class Ask(OpenView):
    """Runs a statement that PostgreSQL refuses."""

    statements: ClassVar[dict[str, str]] = {
        "slow": "SET LOCAL statement_timeout = 20; SELECT pg_sleep(5)",
        "out_of_range": "SELECT 99999999999::int",
    }

    def get(self, request: Request, what: str) -> Response:
        with connection.cursor() as cursor:
            for statement in self.statements[what].split(";"):
                cursor.execute(statement)
        raise AssertionError("PostgreSQL accepted it")


def plain(request: HttpRequest) -> HttpResponse:
    """A view outside the kit, that breaks."""
    raise ZeroDivisionError


entered, leave = threading.Event(), threading.Event()


class Slow(ApiView):
    """Makes a team, and answers when the test says so."""

    scope_family = "accounts"

    def post(self, request: Request) -> Response:
        sent: Any = request.data
        team = Team.objects.create(organization=self.actor.organization, name=sent["name"])
        entered.set()
        leave.wait(timeout=30)
        return Response({"id": str(team.id)}, status=201, headers={"Location": f"/{team.id}"})


class Fickle(ApiView):
    """Makes a team, then refuses or breaks when the body says so."""

    scope_family = "accounts"
    query_parameters = {"post": ("then",)}

    def post(self, request: Request) -> Response:
        Team.objects.create(organization=self.actor.organization, name="made")
        match request.query_params.get("then"):
            case "refuse":
                raise errors.Conflict
            case "answer":
                return Response({"detail": "no"}, status=409)
        return Response({"made": True}, status=201)


urlpatterns = [
    path("api/echo", Echo.as_view()),
    path("api/order", Order.as_view()),
    path("api/raise/<str:what>", Raise.as_view()),
    path("api/ask/<str:what>", Ask.as_view()),
    path("api/plain", plain),
    path("api/slow", Slow.as_view()),
    path("api/fickle", Fickle.as_view()),
    path("page", plain),
    path("api/", include("core.api.urls")),
]
