"""A text in a request: JSON, or a transcript file as the body or as the `file` of a form."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from rest_framework.request import Request

from core.accounts.models.organization import check_language
from core.files.incoming import UploadTooLarge
from core.http.parsers import announced_length, read_body
from core.http.text import clean_filename
from meetings.api.transcripts import SentTranscriptSerializer
from meetings.api.uploads import FORM, Form
from meetings.importers import json_documents
from meetings.importers.transcripts import read_json, read_transcript
from meetings.importers.values import ImportedSegment, ImportedTranscript
from meetings.services.transcripts import Replaced

JSON = "application/json"
OPTIONS = ("filename", "language", "replaces")
# For the description of the API: the content of a file decides what it is.
MEDIA_TYPES = ("text/vtt", "application/x-subrip", "text/plain", "application/octet-stream")


class SentText(NamedTuple):
    """A text, the language that its sender says it is in, and the parts that it replaces.

    `language` is empty and `replaces` None where the sender names none.
    """

    text: ImportedTranscript
    language: str
    replaces: Replaced | None


def sent_text(request: Request) -> SentText:
    """Read the text in a request.

    Raises UploadTooLarge, BadForm, NotATranscript, what the JSON parser raises, and ValidationError
    for JSON in the shape of this API with fields that are not valid.
    """
    http_request: Any = request._request  # Django does not say that it can be read as a stream
    if http_request.content_type == JSON:
        return _from_json(request)
    # The whole body counts, so that none is larger than the JSON that this address reads.
    data = read_body(
        http_request,
        announced=announced_length(http_request),
        limit=settings.TRANSCRIPT_MAX_BYTES,
        too_large=UploadTooLarge,
    )
    options = {name: request.query_params.get(name, "") for name in OPTIONS}
    if http_request.content_type == FORM:
        form = Form(http_request, OPTIONS)
        data = b"".join(form.file_blocks(data))
        options = form.finished()
    text = read_transcript(
        data,
        media_type=http_request.content_type or "",
        filename=clean_filename(options["filename"]),
        charset=(http_request.content_params or {}).get("charset", ""),
    )
    return SentText(text, _language(options["language"]), _replaced(options["replaces"]))


def _from_json(request: Request) -> SentText:
    """JSON in this API's own shape is refused field by field, that of other programs as a file."""
    dialect = json_documents.dialect_of(request.data)
    if dialect not in (None, json_documents.OWN) or isinstance(request.data, list):
        language = _language(request.query_params.get("language", ""))
        replaces = _replaced(request.query_params.get("replaces", ""))
        return SentText(read_json(request.data), language, replaces)
    sent = SentTranscriptSerializer(data=request.data)
    sent.is_valid(raise_exception=True)
    segments = (ImportedSegment(**segment) for segment in sent.validated_data["segments"])
    language = sent.validated_data.get("language", "")
    replaces = sent.validated_data.get("replaces")
    return SentText(ImportedTranscript(tuple(segments)), language, replaces)


def _replaced(name: str) -> Replaced | None:
    """The parts that a parameter names. Raises ValidationError."""
    try:
        return Replaced(name) if name else None
    except ValueError as error:
        known = ", ".join(Replaced)
        raise ValidationError({"replaces": f"Give one of these: {known}."}) from error


def _language(tag: str) -> str:
    """The tag of a parameter. Raises ValidationError."""
    try:
        if tag:
            check_language(tag)
    except ValidationError as error:
        raise ValidationError({"language": error.messages}) from error
    return tag
