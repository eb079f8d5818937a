"""A recording in a request body, raw or as the `file` of a form, written to disk as it arrives."""

from __future__ import annotations

import contextlib
import io
import re
import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime, tzinfo
from typing import IO

from django.conf import settings
from django.http import HttpRequest
from django.utils.http import parse_header_parameters
from multipart import MultipartError, MultipartSegment, PushMultipartParser
from rest_framework import serializers

from core import errors
from core.files.incoming import Incoming, UploadTooLarge, receiving
from core.files.marker import check_storage
from core.http.parsers import announced_length
from core.http.serializers import DateTimeField
from core.http.text import check_text, clean_filename
from core.resilience.shares import Shares
from meetings.api.serializers import check_year
from meetings.media.sniff import check_head
from meetings.text.language_tags import base_language

FORM = "multipart/form-data"
FORM_OVERHEAD_BYTES = 64 * 1024  # boundaries, part headers and small fields around the file
FIELDS = ("filename", "language", "started_at")
LONGEST_FIELD_BYTES = 4096
LONGEST_LANGUAGE = 20


class BadForm(errors.Invalid):
    """A multipart body that cannot be read, or with other parts than expected."""

    code = "upload.bad_form"
    message = "Send the file as the body, or as the one part named `file` of a form."


class TooManyUploads(errors.TooBusy):
    """No slot is left, or none for this organization."""

    code = "upload.too_many"
    message = "Too many uploads are under way. Try again shortly."


slots = Shares(settings.UPLOADS_AT_ONCE)


class RecordingUpload:
    """Takes the body of an upload. After `finish`, `incoming` is the file that arrived.

    Holds one of the organization's slots until it is discarded. Raises TooManyUploads,
    UploadTooLarge, BadForm, and what `check_head` raises about the first bytes of the file.
    """

    incoming: Incoming

    def __init__(self, request: HttpRequest, organization_id: uuid.UUID) -> None:
        limit = settings.RECORDING_MAX_BYTES
        is_form = request.content_type == FORM
        if announced_length(request) > limit + (FORM_OVERHEAD_BYTES if is_form else 0):
            raise UploadTooLarge
        check_storage()  # before gigabytes arrive in vain
        self.stream: IO[bytes] = io.BytesIO()
        self._fields = {name: request.GET.get(name, "") for name in FIELDS}
        with ExitStack() as opened:
            if not slots.take(organization_id):
                raise TooManyUploads(retry_after=5)
            opened.callback(slots.release, organization_id)
            self._receiver = opened.enter_context(receiving(limit=limit, check_head=check_head))
            self._form = Form(request, FIELDS) if is_form else None
            self._opened = opened.pop_all()

    def take(self, block: bytes) -> None:
        for part in self._form.file_blocks(block) if self._form else (block,):
            self._receiver.take(part)

    def finish(self) -> None:
        if self._form:
            self._fields = self._form.finished()
        check_text(*self._fields.values())
        if len(self.language) > LONGEST_LANGUAGE:
            raise BadForm(fields={"language": ["Send a language code such as `en`."]})
        self.incoming = self._receiver.finish()

    def discard(self) -> None:
        self._opened.close()

    @property
    def filename(self) -> str:
        return clean_filename(self._fields["filename"])

    @property
    def language(self) -> str:
        return base_language(self._fields["language"])

    def started_at_in(self, zone: tzinfo) -> datetime | None:
        """The start time that was given; one without a zone is read in `zone`. Raises BadForm."""
        # In a query a bare + is a space, and most clients do not write it as %2B.
        text = re.sub(r"(:.*) (?=\d\d:?\d\d$)", r"\1+", self._fields["started_at"])
        try:
            return StartField(zone).run_validation(text) if text else None
        except serializers.ValidationError as error:
            raise BadForm(fields={"started_at": list(map(str, error.detail))}) from error


class StartField(DateTimeField):
    """When a recording began."""

    def __init__(self, zone: tzinfo) -> None:
        super().__init__(validators=[check_year])
        self._zone = zone

    @property
    def zone(self) -> tzinfo:
        return self._zone


class Form:
    """A multipart form with one file, read block by block."""

    def __init__(self, request: HttpRequest, names: Sequence[str]) -> None:
        """`names` are those of the fields that it may have beside the file."""
        self._names = names
        boundary = parse_header_parameters(request.META.get("CONTENT_TYPE", ""))[1].get("boundary")
        try:
            self._parser = PushMultipartParser(boundary or "", max_segment_count=8)
        except MultipartError as error:
            raise BadForm from error
        self._part: MultipartSegment | None = None
        self._texts: dict[str, bytes] = {}
        self._files = 0
        self._file_name = ""

    def file_blocks(self, block: bytes) -> list[bytes]:
        """What belongs to the file in one block of the body. Raises BadForm."""
        found = []
        try:
            for event in self._parser.parse(block):
                if isinstance(event, MultipartSegment):
                    self._begin(event)
                elif event is None:
                    self._part = None
                elif self._part and self._part.filename is not None:
                    found.append(bytes(event))
                elif self._part:
                    self._add_text(self._part.name or "", event)
        except MultipartError as error:
            raise BadForm from error
        return found

    def finished(self) -> dict[str, str]:
        """The fields beside the file, its own name among them. Raises BadForm."""
        try:
            self._parser.close()
        except MultipartError as error:
            raise BadForm from error
        unknown = sorted(set(self._texts) - set(self._names))
        if self._files != 1 or unknown:
            raise BadForm(fields={name: ["There is no such field."] for name in unknown})
        with contextlib.suppress(UnicodeDecodeError):
            texts = {name: self._texts.get(name, b"").decode() for name in self._names}
            return {**texts, "filename": texts["filename"] or self._file_name}
        raise BadForm

    def _begin(self, part: MultipartSegment) -> None:
        self._part = part
        if part.filename is None:
            if part.name == "file":
                raise BadForm(
                    "The part `file` holds text, not a file. With curl, write `file=@NAME`."
                )
            self._texts[part.name or ""] = b""
            return
        self._files += 1
        self._file_name = part.filename
        if part.name != "file" or self._files > 1:
            raise BadForm

    def _add_text(self, name: str, block: bytes) -> None:
        self._texts[name] += block
        if len(self._texts[name]) > LONGEST_FIELD_BYTES:
            raise BadForm
