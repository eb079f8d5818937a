"""`/api/problems/`: what every error code means; the `type` of a problem points here."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core import errors
from core.api.health import OpenView
from core.http.errors import all_codes, status_of


class CodeSerializer(serializers.Serializer[Any]):
    """An error code with its status and meaning."""

    code = serializers.CharField()
    status = serializers.IntegerField()
    message = serializers.CharField()


class ProblemListView(OpenView):
    """Every error code."""

    @extend_schema(operation_id="problems_list", responses=CodeSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List all error codes."""
        return Response([_shown(kind) for _, kind in sorted(all_codes().items())])


class ProblemView(OpenView):
    """One error code."""

    @extend_schema(operation_id="problems_retrieve", responses=CodeSerializer)
    def get(self, request: Request, code: str) -> Response:
        """Read what an error code means."""
        kind = all_codes().get(code)
        if kind is None:
            raise errors.NotFound
        return Response(_shown(kind))


def _shown(kind: type[errors.DomainError]) -> dict[str, Any]:
    return {"code": kind.code, "status": int(status_of(kind)), "message": kind.message}
