"""The secrets of endpoints in the hands of a sender, and what it signs with them."""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from collections.abc import Iterable

import structlog

from core.secrets.keyring import SecretsError
from webhooks import signatures
from webhooks.models import EndpointSecret
from webhooks.queries import secrets as queries

log = structlog.get_logger(__name__)

KNOWN_SECONDS = 5.0  # until a rotated secret is asked for again


class Unsigned(Exception):
    """The endpoint has no secret, or none that this installation can read."""


class Signing:
    """Signs for endpoints whose secrets it has loaded, many by one query."""

    def __init__(self) -> None:
        self._secrets: dict[uuid.UUID, tuple[str, ...]] = {}
        self._loaded_at: dict[uuid.UUID, float] = {}

    def load(self, endpoint_ids: Iterable[uuid.UUID]) -> None:
        """Know the secrets of these that sign at present: the current one, and one before it."""
        moment = time.monotonic()
        missing = {one for one in endpoint_ids if self._is_old(one, moment)}
        if not missing:
            return
        found = defaultdict(list)
        for row in queries.signing(missing):
            found[row.endpoint_id].append(row)
        for endpoint_id in missing:
            self._secrets[endpoint_id] = _opened(found[endpoint_id])
            self._loaded_at[endpoint_id] = moment

    def header(
        self, endpoint_id: uuid.UUID, *, message_id: str, timestamp: int, body: bytes
    ) -> str:
        """The value of `webhook-signature`. Raises Unsigned."""
        secrets = self._secrets.get(endpoint_id)
        if not secrets:
            raise Unsigned(str(endpoint_id))
        try:
            return signatures.header_of(
                secrets, message_id=message_id, timestamp=timestamp, body=body
            )
        except ValueError as error:  # whatever was sealed is no secret
            raise Unsigned(str(endpoint_id)) from error

    def _is_old(self, endpoint_id: uuid.UUID, moment: float) -> bool:
        loaded_at = self._loaded_at.get(endpoint_id)
        return loaded_at is None or moment - loaded_at > KNOWN_SECONDS


def _opened(rows: list[EndpointSecret]) -> tuple[str, ...]:
    """The secrets of one endpoint that can be read: a receiver takes what one of its own signed."""
    opened = []
    for row in rows:
        try:
            opened.append(row.secret)
        except SecretsError as error:
            log.warning("webhook.secret_unreadable", secret_id=str(row.id), error=str(error))
    return tuple(opened)
