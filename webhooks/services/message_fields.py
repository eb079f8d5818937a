"""What a message is called, what it is about: read from its headers and its body, without trust.

The signature says that the bytes are the sender's. It says nothing about headers it does not
cover, and nothing about what is in the bytes: every value may be missing, of another kind, or a
megabyte long.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from webhooks.models.inbound_message import LONGEST_NAME
from webhooks.models.inbound_source import Scheme

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Places:
    """Where a scheme has each name: a header before a path into the JSON body."""

    id_header: str = ""
    id_path: Path = ()
    type_header: str = ""
    type_path: Path = ()
    object_path: Path = ()


PLACES: dict[Scheme, Places] = {
    Scheme.STANDARD: Places(
        id_header="webhook-id", type_path=("type",), object_path=("data", "id")
    ),
    Scheme.TIMESTAMPED: Places(
        id_header="x-webhook-id",
        id_path=("id",),
        type_path=("type",),
        object_path=("data", "id"),
    ),
    Scheme.GITHUB: Places(id_header="x-github-delivery", type_header="x-github-event"),
    Scheme.STRIPE: Places(
        id_path=("id",), type_path=("type",), object_path=("data", "object", "id")
    ),
}


@dataclass(frozen=True, slots=True)
class Names:
    """All printable and at most LONGEST_NAME characters; only `message_id` is never empty."""

    message_id: str
    type: str
    object_id: str


def names_of(scheme: Scheme, headers: Mapping[str, str], body: bytes, *, signed_hash: str) -> Names:
    """The names in a message. `headers` are by lower-case name.

    A message without an id is called by the hash of what was signed; an id that cannot be shown is
    called by its own hash, so that it is the same each time.
    """
    places, content = PLACES[scheme], _json(body)
    named = _text(headers.get(places.id_header)) or _at(content, places.id_path)
    kind = _text(headers.get(places.type_header)) or _at(content, places.type_path)
    return Names(
        message_id=_shown(named) or _hash_of(named) or f"sha256:{signed_hash}",
        type=_shown(kind),
        object_id=_shown(_at(content, places.object_path)),
    )


def _json(body: bytes) -> Any:
    """The value in the body, None for one that is no JSON: a form or XML may be signed as well."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _at(content: Any, path: Path) -> str:
    for name in path:
        content = content.get(name) if isinstance(content, dict) else None
    return _text(content) if path else ""


def _text(value: Any) -> str:
    """Texts and whole numbers are names; anything else is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) else ""


def _shown(name: str) -> str:
    return name if len(name) <= LONGEST_NAME and name.isprintable() else ""


def _hash_of(name: str) -> str:
    if not name:
        return ""
    return f"sha256:{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()}"
