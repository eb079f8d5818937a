"""What a client hears when a stored secret cannot be read: that it is our fault, not which."""

from __future__ import annotations

import structlog

from core import errors
from core.http.errors import translate
from core.secrets.keyring import KeysUnusable, SealBroken, UnknownKey

log = structlog.get_logger(__name__)

RETRY_SECONDS = 60


class SecretUnreadable(errors.TooBusy):
    """`SECRET_KEYS` lacks a key, or a stored value is damaged; the log says which."""

    code = "secret.unreadable"
    message = "This server cannot read a secret that it keeps. Its operator has to look into it."


def _refusal(error: Exception) -> errors.DomainError:
    log.error("http.secret_unreadable", exc_info=error)
    return SecretUnreadable(retry_after=RETRY_SECONDS)


for kind in (KeysUnusable, SealBroken, UnknownKey):
    translate(kind, _refusal)
