"""Reads the id, type and object of a message from its headers and body, without trusting them.

The signature proves that the bytes are the sender's. Headers may not be covered by it, and every
value may be missing, of another kind, or a megabyte long.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from webhooks.models.inbound_message import MAX_NAME_LENGTH
from webhooks.models.inbound_source import Scheme

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FieldPaths:
    """Where a scheme has each field: a header, or else a path into the JSON body."""

    id_header: str = ""
    id_path: Path = ()
    type_header: str = ""
    type_path: Path = ()
    object_path: Path = ()


FIELD_PATHS: dict[Scheme, FieldPaths] = {
    Scheme.STANDARD: FieldPaths(
        id_header="webhook-id", type_path=("type",), object_path=("data", "id")
    ),
    Scheme.TIMESTAMPED: FieldPaths(
        id_header="x-webhook-id",
        id_path=("id",),
        type_path=("type",),
        object_path=("data", "id"),
    ),
    Scheme.GITHUB: FieldPaths(id_header="x-github-delivery", type_header="x-github-event"),
    Scheme.STRIPE: FieldPaths(
        id_path=("id",), type_path=("type",), object_path=("data", "object", "id")
    ),
}


@dataclass(frozen=True, slots=True)
class MessageFields:
    """All printable and at most MAX_NAME_LENGTH characters; only `message_id` is never empty."""

    message_id: str
    type: str
    object_id: str


def read_fields(
    scheme: Scheme, headers: Mapping[str, str], body: bytes, *, signed_hash: str
) -> MessageFields:
    """The fields of a message. `headers` have lower-case names.

    Without an id the message is named by `signed_hash`, with an unprintable one by the id's hash.
    """
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        content = None  # a form or XML may be signed as well
    paths = FIELD_PATHS[scheme]
    given_id = _text(headers.get(paths.id_header)) or _value_at(content, paths.id_path)
    message_id = _printable(given_id)
    if given_id and not message_id:
        id_hash = hashlib.sha256(given_id.encode("utf-8", "surrogatepass")).hexdigest()
        message_id = f"sha256:{id_hash}"
    event_type = _text(headers.get(paths.type_header)) or _value_at(content, paths.type_path)
    return MessageFields(
        message_id=message_id or f"sha256:{signed_hash}",
        type=_printable(event_type),
        object_id=_printable(_value_at(content, paths.object_path)),
    )


def _value_at(content: object, path: Path) -> str:
    for name in path:
        content = content.get(name) if isinstance(content, dict) else None
    return _text(content) if path else ""


def _text(value: object) -> str:
    """Strings and whole numbers can be ids or types; other values count as missing."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) else ""


def _printable(text: str) -> str:
    return text if len(text) <= MAX_NAME_LENGTH and text.isprintable() else ""
