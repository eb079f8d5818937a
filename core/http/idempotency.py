"""`Idempotency-Key`: a POST sent twice takes effect once.

Follows draft-ietf-httpapi-idempotency-key-header. The kit opens one transaction around the view:
the rows, the event, the job and the kept answer commit together or not at all, so a crash at any
moment leaves either everything or a key that is free again.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from django.db import connection, transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from core import errors
from core.db.clock import database_now
from core.http.errors import Unprocessable
from core.http.models import IdempotencyKey
from core.http.parsers import JsonTooLarge, announced_length
from core.http.renderers import to_json

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEPT_FOR = timedelta(hours=24)
ACCEPTABLE = re.compile(r"[\x20-\x7e]{1,255}")
SWEPT_AT_ONCE = 1000


class InvalidKey(errors.Invalid):
    """A key that is empty, too long or not printable ASCII."""

    code = "idempotency.key_invalid"
    message = "Idempotency-Key must be 1 to 255 printable ASCII characters."


class KeyReused(Unprocessable):
    """The key was used for another request."""

    code = "idempotency.key_reused"
    message = "This Idempotency-Key was used for a different request."


class StillRunning(errors.Conflict):
    """The first request with this key has not been answered yet."""

    code = "idempotency.running"
    message = "A request with this Idempotency-Key is still running."


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose key it is."""

    user_id: uuid.UUID
    organization_id: uuid.UUID | None
    api_key_id: uuid.UUID | None

    @classmethod
    def of(cls, request: Request) -> Sender:
        actor: Any = request.auth
        user: Any = request.user
        return cls(
            user_id=user.pk,
            organization_id=actor.organization.pk if actor else None,
            api_key_id=actor.api_key_id if actor else None,
        )

    def as_filter(self) -> dict[str, Any]:
        return {
            "user_id": self.user_id,
            "organization_id": self.organization_id,
            "api_key_id": self.api_key_id,
        }


def key_of(request: Request) -> str | None:
    """The request's key, None without one. Raises InvalidKey."""
    key: str | None = request.headers.get(HEADER)
    if key is None:
        return None
    if not ACCEPTABLE.fullmatch(key):
        raise InvalidKey
    return key


def answer_once(
    request: Request,
    key: str,
    answer: Callable[[], HttpResponseBase],
    *,
    max_bytes: int,
    unkept_fields: Iterable[str] = (),
    prepare: Callable[[], None] = lambda: None,
) -> HttpResponseBase:
    """What `answer` returns, or what it returned for the same request before.

    `prepare` runs before the transaction, unless there is an answer to repeat. `max_bytes` is the
    largest body the address reads. Only success is kept: a refusal rolls back and frees the key.
    `unkept_fields` are null in the kept copy, for what may be shown only once; `outer.inner` names
    a field of an object.
    Raises KeyReused or StillRunning.
    """
    sender, fingerprint = Sender.of(request), fingerprint_of(request, max_bytes=max_bytes)
    if not IdempotencyKey.objects.filter(**sender.as_filter(), key=key).exists():
        prepare()
    with transaction.atomic():
        _take(sender, key)
        kept = IdempotencyKey.objects.filter(**sender.as_filter(), key=key).first()
        if kept and kept.created_at > database_now() - KEPT_FOR:
            return _replay(kept, fingerprint)
        response = answer()
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            transaction.set_rollback(True)
            return response
        if kept:
            kept.delete()
        _keep(sender, key, fingerprint, response, frozenset(unkept_fields))
    return response


def fingerprint_of(request: Request, *, max_bytes: int) -> str:
    """SHA-256 over method, address with query, and the bytes of the body. Raises JsonTooLarge."""
    if announced_length(request) > max_bytes:
        raise JsonTooLarge
    head = f"{request.method} {request.get_full_path()}\n".encode()
    return hashlib.sha256(head + request.body).hexdigest()


def sweep_idempotency_keys() -> int:
    """Delete keys older than a day, some at a time; return how many went."""
    old = IdempotencyKey.objects.filter(created_at__lt=database_now() - KEPT_FOR).order_by(
        "created_at"
    )
    swept = 0
    while ids := list(old.values_list("id", flat=True)[:SWEPT_AT_ONCE]):
        swept += IdempotencyKey.objects.filter(id__in=ids).delete()[0]
    return swept


def _take(sender: Sender, key: str) -> None:
    """Hold the key until the transaction ends, without waiting for whoever holds it now."""
    text = f"idempotency:{sender.user_id}:{sender.organization_id}:{sender.api_key_id}:{key}"
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(%s)", [int.from_bytes(digest, signed=True)]
        )
        if not cursor.fetchone()[0]:
            raise StillRunning(retry_after=1)


def _replay(kept: IdempotencyKey, fingerprint: str) -> HttpResponse:
    if kept.fingerprint != fingerprint:
        raise KeyReused
    response = HttpResponse(kept.body.encode(), status=kept.status, content_type="application/json")
    response[REPLAYED] = "true"
    if kept.location:
        response["Location"] = kept.location
    return response


def _keep(
    sender: Sender,
    key: str,
    fingerprint: str,
    response: HttpResponseBase,
    unkept_fields: frozenset[str],
) -> None:
    IdempotencyKey.objects.create(
        **sender.as_filter(),
        key=key,
        fingerprint=fingerprint,
        status=response.status_code,
        location=response.headers.get("Location", ""),
        body=_body_of(response, unkept_fields).decode(),
    )


def _body_of(response: HttpResponseBase, unkept_fields: frozenset[str]) -> bytes:
    if not isinstance(response, Response):
        content: bytes = getattr(response, "content", b"")
        return content
    data = response.data
    if data is None:
        return b""
    return to_json(_without(data, unkept_fields) if unkept_fields else data)


def _without(data: Mapping[str, Any], unkept_fields: frozenset[str]) -> dict[str, Any]:
    """An object with null where a field is named, as `field` or as `field.inner`."""
    kept: dict[str, Any] = {}
    for name, value in data.items():
        inner = {path.partition(".")[2] for path in unkept_fields if path.startswith(f"{name}.")}
        if name in unkept_fields:
            kept[name] = None
        else:
            is_object = inner and isinstance(value, Mapping)
            kept[name] = _without(value, frozenset(inner)) if is_object else value
    return kept
