"""A stored file as an answer: whole or one range of it, to whoever has its signed link."""

from __future__ import annotations

import base64
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request

from core.files import services as files
from core.files.models import StoredFile
from core.http.ranges import Unsatisfiable, wanted_part
from core.http.views import ApiView

RANGE = OpenApiParameter(
    "Range", OpenApiTypes.STR, OpenApiParameter.HEADER, description="One range of bytes."
)


class LinkedFileView(ApiView):
    """Answers a signed link: the link is the permission, nobody signs in."""

    authentication_classes = ()
    permission_classes = ()
    scope_family = None
    query_parameters = None  # what follows links may add its own


def download_schema(*, operation_id: str, summary: str) -> Callable[[Any], Any]:
    """The OpenAPI description of a `get` that answers with `file_answer`."""
    return extend_schema(
        operation_id=operation_id,
        summary=summary,
        description="The address is a `download_url`. It needs no API key.",
        parameters=[RANGE],
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiTypes.BINARY,
            403: OpenApiResponse(description="The link is not valid, or has expired."),
            416: OpenApiResponse(description="The range begins after the end of the file."),
        },
    )


def file_answer(
    request: Request, stored: StoredFile, *, filename: str, media_type: str
) -> HttpResponseBase:
    """All of the file or the range asked for, with its name (RFC 6266) and checksum (RFC 9530)."""
    answer = _bytes_of(request, stored)
    answer["Content-Type"] = media_type
    answer["Content-Disposition"] = content_disposition_header(True, filename) or ""  # noqa: FBT003
    answer["Accept-Ranges"] = "bytes"
    answer["ETag"] = _etag(stored)
    digest = base64.b64encode(bytes.fromhex(stored.sha256)).decode()
    answer["Repr-Digest"] = f"sha-256=:{digest}:"
    answer["Cache-Control"] = "private, no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Referrer-Policy"] = "no-referrer"
    # An HTML file of ours, or a customer's file, may neither run nor reach anything here.
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
    return answer


def _bytes_of(request: Request, stored: StoredFile) -> HttpResponseBase:
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
