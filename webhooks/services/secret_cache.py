"""A short-lived cache of signing secrets, one per sender."""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from collections.abc import Iterable

import structlog

from core.secrets.keyring import SecretsError
from webhooks import signatures
from webhooks.queries import secrets as queries

log = structlog.get_logger(__name__)

CACHE_SECONDS = 5.0  # a rotated secret is used after this time at the latest


class NoUsableSecret(Exception):
    """The endpoint has no secret, or none that this installation can read."""


class SecretCache:
    """Signs for the endpoints whose secrets it has loaded."""

    def __init__(self) -> None:
        self._secrets: dict[uuid.UUID, tuple[str, ...]] = {}
        self._loaded_at: dict[uuid.UUID, float] = {}

    def load(self, endpoint_ids: Iterable[uuid.UUID]) -> None:
        """Load the secrets that sign now for these endpoints, in one query."""
        now = time.monotonic()
        missing = {
            endpoint_id
            for endpoint_id in endpoint_ids
            if now - self._loaded_at.get(endpoint_id, float("-inf")) > CACHE_SECONDS
        }
        if not missing:
            return
        readable = defaultdict(list)
        for secret in queries.signing(missing):
            # A receiver needs only one valid signature, so an unreadable secret is left out.
            try:
                readable[secret.endpoint_id].append(secret.secret)
            except SecretsError as error:
                log.warning("webhook.secret_unreadable", secret_id=str(secret.id), error=str(error))
        for endpoint_id in missing:
            self._secrets[endpoint_id] = tuple(readable[endpoint_id])
            self._loaded_at[endpoint_id] = now

    def header(
        self, endpoint_id: uuid.UUID, *, message_id: str, timestamp: int, body: bytes
    ) -> str:
        """The value of `webhook-signature`. Raises NoUsableSecret."""
        secrets = self._secrets.get(endpoint_id)
        if not secrets:
            raise NoUsableSecret(str(endpoint_id))
        try:
            return signatures.header_of(
                secrets, message_id=message_id, timestamp=timestamp, body=body
            )
        except ValueError as error:  # decrypted, but not a secret
            raise NoUsableSecret(str(endpoint_id)) from error
