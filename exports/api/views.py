"""Exports over HTTP: asking, watching, fetching, deleting."""

from __future__ import annotations

import base64
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.db.clock import now
from core.files import services as files
from core.files.models import StoredFile
from core.http.views import ApiView, ReadViewSet
from exports import queries
from exports.api.filters import ExportFilter
from exports.api.ranges import Unsatisfiable, wanted_part
from exports.api.serializers import (
    ExportCreateSerializer,
    ExportSerializer,
    RequestedExportSerializer,
)
from exports.models import Export
from exports.renderers.formats import MEDIA_TYPES
from exports.services import exports as export_services
from exports.services import links


class ExportViewSet(mixins.DestroyModelMixin, ReadViewSet):
    """Files made from the meetings that you may see, newest first."""

    queryset = Export.objects.all()
    serializer_class = ExportSerializer
    filterset_class = ExportFilter
    scope_family = "exports"
    # A finished export is answered at once, with a link that must not be kept with the key.
    unkept_fields = ("export.download_url", "export.expires_at")

    def get_queryset(self) -> QuerySet[Any]:
        return queries.whole(super().get_queryset())

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "moment": now()}

    @extend_schema(
        request=ExportCreateSerializer,
        responses={202: RequestedExportSerializer, 200: RequestedExportSerializer},
    )
    def create(self, request: Request) -> Response:
        """Ask for a file.

        202 with a job that makes it. The same request while the meeting is unchanged answers with
        the export that is there, 200 once its file can be fetched.
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


RANGE = OpenApiParameter(
    "Range", OpenApiTypes.STR, OpenApiParameter.HEADER, description="One range of bytes."
)


class ExportFile(ApiView):
    """The file of an export, to whoever has the link."""

    authentication_classes = ()
    permission_classes = ()
    scope_family = None

    @extend_schema(
        operation_id="exports_file",
        summary="Fetch a file",
        description="The address is an export's `download_url`; nobody needs to sign in for it.",
        parameters=[RANGE],
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiTypes.BINARY,
            416: OpenApiResponse(description="The range begins behind the file's end."),
        },
    )
    def get(self, request: Request, export_id: UUID, token: str) -> HttpResponseBase:
        export, stored = links.open_link(export_id=export_id, token=token)
        return _with_headers(_answer(request, stored), export, stored)


def _answer(request: Request, stored: StoredFile) -> HttpResponseBase:
    """All of the file, or the part that is asked for."""
    size = stored.size_bytes
    try:
        part = wanted_part(_range_of(request, stored), size)
    except Unsatisfiable:
        refusal = HttpResponse(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
        refusal["Content-Range"] = f"bytes */{size}"
        return refusal
    start, end = part or (0, size - 1)
    length = end - start + 1
    status = HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK
    answer: HttpResponseBase
    if request.method == "HEAD":
        answer = HttpResponse(status=status)
    else:
        answer = StreamingHttpResponse(files.read_part(stored, start, length), status=status)
    answer["Content-Length"] = str(length)
    if part:
        answer["Content-Range"] = f"bytes {start}-{end}/{size}"
    return answer


def _range_of(request: Request, stored: StoredFile) -> str:
    """The range asked for, unless it was asked of other bytes (RFC 9110, section 13.1.5)."""
    condition = request.headers.get("If-Range")
    if condition is not None and condition != _etag(stored):
        return ""
    header: str = request.headers.get("Range", "")
    return header


def _etag(stored: StoredFile) -> str:
    return f'"{stored.sha256}"'


def _with_headers(answer: HttpResponseBase, export: Export, stored: StoredFile) -> HttpResponseBase:
    """What the file is, how it is called (RFC 6266), its checksum (RFC 9530), and no more."""
    answer["Content-Type"] = MEDIA_TYPES[export.format]
    answer["Content-Disposition"] = content_disposition_header(True, export.filename) or ""  # noqa: FBT003
    answer["Accept-Ranges"] = "bytes"
    answer["ETag"] = _etag(stored)
    digest = base64.b64encode(bytes.fromhex(stored.sha256)).decode()
    answer["Repr-Digest"] = f"sha-256=:{digest}:"
    answer["Cache-Control"] = "private, no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Referrer-Policy"] = "no-referrer"
    # An HTML file is a guest on this address: it may neither run nor reach anything.
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
    return answer
