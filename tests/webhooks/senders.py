"""Other systems as they sign: a few lines for each scheme, none of them ours."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any

from rest_framework.test import APIClient

from core.db.rows import new_id
from webhooks.models import InboundSource, Scheme

SECRETS = {
    Scheme.STANDARD: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    Scheme.TIMESTAMPED: "a secret of the customer's",
    Scheme.GITHUB: "It's a Secret to Everybody",
    Scheme.STRIPE: "whsec_of_stripe_which_is_no_base64",
}

Signer = Callable[..., dict[str, str]]


def _hmac(key: bytes, signed: bytes) -> bytes:
    return hmac.new(key, signed, hashlib.sha256).digest()


def _standard(secret: str, body: bytes, message_id: str, second: int) -> dict[str, str]:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = _hmac(key, f"{message_id}.{second}.".encode() + body)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(second),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def _timestamped(secret: str, body: bytes, message_id: str, second: int) -> dict[str, str]:
    return {
        "X-Webhook-Id": message_id,
        "X-Webhook-Timestamp": str(second),
        "X-Webhook-Signature": _hmac(secret.encode(), f"{second}.".encode() + body).hex(),
    }


def _github(secret: str, body: bytes, message_id: str, _second: int) -> dict[str, str]:
    return {
        "X-GitHub-Delivery": message_id,
        "X-GitHub-Event": "issues",
        "X-Hub-Signature-256": f"sha256={_hmac(secret.encode(), body).hex()}",
    }


def _stripe(secret: str, body: bytes, _message_id: str, second: int) -> dict[str, str]:
    digest = _hmac(secret.encode(), f"{second}.".encode() + body).hex()
    return {"Stripe-Signature": f"t={second},v1={digest},v0=of_the_test_mode"}


SIGNERS: dict[Scheme, Signer] = {
    Scheme.STANDARD: _standard,
    Scheme.TIMESTAMPED: _timestamped,
    Scheme.GITHUB: _github,
    Scheme.STRIPE: _stripe,
}


def signed(
    scheme: Scheme | str,
    body: bytes,
    *,
    secret: str | None = None,
    message_id: str | None = None,
    seconds_off: int = 0,
) -> dict[str, str]:
    """The headers of a sender of that scheme; its clock may be off."""
    scheme = Scheme(scheme)
    return SIGNERS[scheme](
        SECRETS[scheme] if secret is None else secret,
        body,
        message_id or f"msg_{new_id().hex}",
        int(time.time()) + seconds_off,
    )


def address(source: InboundSource) -> str:
    return f"/api/v1/hooks/{source.id}/"


def post(
    source: InboundSource,
    body: bytes,
    headers: dict[str, str] | None = None,
    *,
    content_type: str = "application/json",
    **options: Any,
) -> Any:
    """Send as the source's sender would, or with other headers; `options` are `signed`'s."""
    sent = signed(source.scheme, body, **options) if headers is None else headers
    raw: Any = body
    return APIClient().generic(
        "POST", address(source), raw, content_type=content_type, headers=sent
    )
