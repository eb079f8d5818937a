"""A recording in a request body, raw or as the `file` of a form; never whole in memory."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParser, MultiPartParserError

from core import errors
from core.files.incoming import (
    Incoming,
    Receiver,
    UploadIncomplete,
    UploadTooLarge,
    receive_stream,
)
from core.http.errors import LengthRequired
from core.http.text import check_text
from meetings.text.language_tags import base_language

FORM = "multipart/form-data"
FORM_OVERHEAD_BYTES = 64 * 1024  # boundaries, part headers and small fields around the file
LONGEST_FILENAME = 255
LONGEST_LANGUAGE = 20


class BadForm(errors.Invalid):
    """A multipart body that cannot be read, or with other parts than expected."""

    code = "upload.bad_form"
    sentence = "Send the recording as the body, or as the one part named `file` of a form."


class TooManyUploads(errors.TooBusy):
    """As many uploads are under way as this process takes at once."""

    code = "upload.too_many"
    sentence = "Too many uploads are under way. Try again shortly."


_under_way = threading.BoundedSemaphore(settings.UPLOADS_AT_ONCE)


@contextmanager
def one_of_few() -> Iterator[None]:
    """Leave threads for everybody else, however slowly uploads arrive. Raises TooManyUploads."""
    if not _under_way.acquire(blocking=False):
        raise TooManyUploads(retry_after=5)
    try:
        yield
    finally:
        _under_way.release()


@dataclass(frozen=True, slots=True)
class Upload:
    """What arrived, and what the client called it."""

    incoming: Incoming
    filename: str
    language: str


def receive_upload(request: HttpRequest, receiver: Receiver, *, limit: int) -> Upload:
    """Read the request's body into `receiver`.

    Raises LengthRequired, UploadTooLarge, UploadIncomplete, BadForm, and whatever the receiver's
    content check raises; nothing of a refused body is kept.
    """
    declared = _declared_bytes(request)
    if request.content_type == FORM:
        if declared > limit + FORM_OVERHEAD_BYTES:
            raise UploadTooLarge
        return _receive_form(request, receiver, declared)
    if declared > limit:
        raise UploadTooLarge
    incoming = receive_stream(receiver, request, declared_bytes=declared)
    return _upload(incoming, request.GET.get("filename", ""), request.GET.get("language", ""))


def _declared_bytes(request: HttpRequest) -> int:
    text = request.META.get("CONTENT_LENGTH") or ""
    if text and not (text.isascii() and text.isdigit()):
        raise LengthRequired
    return int(text or 0)  # RFC 9112, section 6.3: a request that announces no body has none


def _receive_form(request: HttpRequest, receiver: Receiver, declared: int) -> Upload:
    body = CountedBody(request, declared)
    part = FilePart(receiver)
    try:
        fields, files = _parser(request, body, part).parse()
    except MultiPartParserError as error:
        raise (UploadIncomplete if body.is_cut else BadForm) from error
    if body.is_cut:
        raise UploadIncomplete
    if "file" in fields:
        raise BadForm("The part `file` holds text, not a file. With curl, write `file=@NAME`.")
    unknown = set(fields) - {"language", "filename"}
    if part.parts != 1 or list(files) != ["file"] or unknown:
        raise BadForm(fields={name: ["There is no such field."] for name in sorted(unknown)})
    filename = fields.get("filename", "") or part.name
    return _upload(receiver.finish(), filename, fields.get("language", ""))


def _parser(request: HttpRequest, body: CountedBody, part: FilePart) -> MultiPartParser:
    stream: Any = body  # Django asks for more of a stream than it uses
    return MultiPartParser(request.META, stream, [part], "utf-8")


def _upload(incoming: Incoming, filename: str, language: str) -> Upload:
    check_text(filename, language)
    if len(language) > LONGEST_LANGUAGE:
        raise BadForm(fields={"language": ["Send a language code such as `en`."]})
    name = filename.replace("\\", "/").rsplit("/", 1)[-1].strip()[:LONGEST_FILENAME]
    return Upload(incoming, name, base_language(language))


class CountedBody:
    """The request's body; `is_cut` once it has ended before the declared number of bytes."""

    def __init__(self, request: HttpRequest, declared: int) -> None:
        self._request = request
        self._left = declared
        self.is_cut = False

    def read(self, size: int = -1) -> bytes:
        try:
            block = self._request.read(size)
        except OSError as error:  # the client hung up
            raise UploadIncomplete from error
        self._left -= len(block)
        self.is_cut = self.is_cut or (not block and size != 0 and self._left > 0)
        return block


class FilePart(FileUploadHandler):
    """Django's hook for file parts: each block goes straight to the receiver."""

    chunk_size = 256 * 1024

    def __init__(self, receiver: Receiver) -> None:
        super().__init__()
        self._receiver = receiver
        self.parts = 0
        self.name = ""

    def new_file(self, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:
        super().new_file(field_name, file_name, *args, **kwargs)
        self.parts += 1
        self.name = file_name
        if field_name != "file" or self.parts > 1:
            raise BadForm

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._receiver.take(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile:
        return UploadedFile(io.BytesIO(), name=self.name, size=file_size)
