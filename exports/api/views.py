"""Exports over HTTP: asking, watching, fetching, deleting."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.db.clock import database_now
from core.http.downloads import LinkedFileView, download_schema, file_answer
from core.http.views import ReadViewSet
from exports import queries
from exports.api.filters import ExportFilter
from exports.api.serializers import (
    ExportCreateSerializer,
    ExportSerializer,
    RequestedExportSerializer,
)
from exports.models import Export
from exports.renderers.formats import MEDIA_TYPES
from exports.services import exports as export_services


class ExportViewSet(mixins.DestroyModelMixin, ReadViewSet):
    """Exports of the meetings that you may see, newest first."""

    queryset = Export.objects.all()
    serializer_class = ExportSerializer
    filterset_class = ExportFilter
    scope_family = "exports"
    # A finished export is answered at once, with a link that must not be kept with the key.
    unkept_fields = ("export.download_url", "export.expires_at")

    def get_queryset(self) -> QuerySet[Any]:
        return queries.whole(super().get_queryset())

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "moment": database_now()}

    @extend_schema(
        request=ExportCreateSerializer,
        responses={202: RequestedExportSerializer, 200: RequestedExportSerializer},
    )
    def create(self, request: Request) -> Response:
        """Create an export.

        202 with the job that makes the file. While the meeting is unchanged, the same request
        answers with the existing export, and with 200 once its file is ready.
        """
        asked = ExportCreateSerializer(data=request.data, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        meeting = asked.validated_data["meeting"]
        export = export_services.request_export(
            actor=self.actor,
            meeting=meeting,
            format=asked.validated_data["format"],
            options=asked.options_for(meeting),
        )
        status = HTTPStatus.OK if export.is_ready else HTTPStatus.ACCEPTED
        shown = RequestedExportSerializer(export, context=self.get_serializer_context())
        return Response(shown.data, status=status)

    @extend_schema(
        operation_id="exports_cancel",
        summary="Cancel an export",
        request=None,
        responses={200: ExportSerializer},
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        export = export_services.cancel_export(export=self.get_object())
        return Response(self.get_serializer(export).data)

    def perform_destroy(self, instance: Export) -> None:
        export_services.delete_export(export=instance)


class ExportFile(LinkedFileView):
    """The file of an export."""

    @download_schema(operation_id="exports_file", summary="Download the file of an export")
    def get(self, request: Request, export_id: UUID, token: str) -> HttpResponseBase:
        export, stored = queries.export_behind(export_id=export_id, token=token)
        media_type = MEDIA_TYPES[export.format]
        return file_answer(request, stored, filename=export.filename, media_type=media_type)
