"""Reading JSON bodies: bounded in length and depth, strict about what a text may hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

import orjson
from django.conf import settings
from django.http import HttpRequest
from rest_framework.parsers import BaseParser

from core import errors
from core.http.errors import BodyIncomplete, LengthRequired
from core.http.text import InvalidCharacter, check_text, check_texts_in, is_deeper


class InvalidJson(errors.Invalid):
    """The body is not JSON (RFC 8259) in UTF-8."""

    code = "json.invalid"
    message = "The body is not valid JSON."


class JsonTooLarge(errors.TooLarge):
    """The body has more bytes than its address reads."""

    code = "json.too_large"
    message = "The JSON body is larger than this server accepts."


class JsonTooDeep(errors.Invalid):
    """The body nests more containers than settings.JSON_MAX_DEPTH."""

    code = "json.too_deep"
    message = "The JSON body is nested more deeply than this server accepts."


class JSONParser(BaseParser):
    """DRF's door to `read_body` and `parse_json`."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        context = parser_context or {}
        announced = announced_length(context["request"])
        return parse_json(read_body(stream, announced=announced, limit=limit_of(context["view"])))


def limit_of(view: Any) -> int:
    """The largest body that a view reads: its own limit, or settings.JSON_MAX_BYTES."""
    own: int | None = getattr(view, "json_max_bytes", None)
    return settings.JSON_MAX_BYTES if own is None else own


def announced_length(request: HttpRequest) -> int:
    """The Content-Length, 0 without one. Raises LengthRequired for what is no number."""
    text = request.META.get("CONTENT_LENGTH") or ""
    if text and not (text.isascii() and text.isdigit()):
        raise LengthRequired
    return int(text or 0)  # RFC 9112, section 6.3: a request that announces no body has none


def read_body(
    stream: IO[bytes],
    *,
    announced: int,
    limit: int,
    too_large: type[errors.TooLarge] = JsonTooLarge,
) -> bytes:
    """At most `limit` bytes from the stream.

    Raises `too_large` before reading when more is announced, and BodyIncomplete when less arrives.
    """
    if announced > limit:
        raise too_large
    raw = stream.read(limit + 1)
    if len(raw) > limit:
        raise too_large
    if len(raw) < announced:
        raise BodyIncomplete
    return raw


def parse_json(raw: bytes) -> Any:
    """The value in the bytes. Raises InvalidJson, JsonTooDeep or InvalidCharacter.

    Both checks are left out when counting bytes proves them needless, as it nearly always does.
    """
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise _refusal_for(error, raw) from error
    depth = settings.JSON_MAX_DEPTH
    if raw.count(b"[") + raw.count(b"{") > depth and is_deeper(value, than=depth):
        raise JsonTooDeep
    if b"\\u0000" in raw:  # the only way a NUL gets past orjson
        check_texts_in(value)
    return value


def _refusal_for(error: orjson.JSONDecodeError, raw: bytes) -> errors.DomainError:
    """orjson has one exception for everything; its words and the bytes tell what it was."""
    if "depth" in error.msg:
        return JsonTooDeep()
    if "surrogate" in error.msg and _is_utf8(raw):
        return InvalidCharacter()
    return InvalidJson(f"The body is not valid JSON (line {error.lineno}, column {error.colno}).")


def _is_utf8(raw: bytes) -> bool:
    try:
        check_text(raw.decode())
    except UnicodeDecodeError:
        return False
    return True
