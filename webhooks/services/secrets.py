"""Creates and rotates the secrets that sign deliveries."""

from __future__ import annotations

import base64
import hmac
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from core import errors
from core.db.clock import database_now
from core.db.transactions import require_transaction
from core.secrets.keyring import SecretsError
from core.security.models import Severity
from core.security.services import record_security_event
from webhooks import signatures
from webhooks.models import Endpoint, EndpointSecret, SignatureScheme

MAX_AT_ONCE = 5
MIN_DISTINCT_BYTES = 16  # of 24 random bytes about 23 are distinct


class WeakSecret(errors.Invalid):
    """A secret that could be guessed, or that the standard does not allow."""

    code = "endpoint.weak_secret"
    message = "A secret must be whsec_ and the base64 of 24 to 64 random bytes."


class SecretInUse(errors.Conflict):
    """Two endpoints with one secret: a receiver could forge messages for the other."""

    code = "endpoint.secret_in_use"
    message = "Another endpoint has this secret already. Use a different secret for each endpoint."


class RotatedTooOften(errors.Conflict):
    """Too many secrets in force: each adds a signature to every delivery."""

    code = "endpoint.rotated_too_often"
    message = "Too many old secrets are in force. Wait until one expires, or set the overlap to 0."


def create_secret(
    *,
    endpoint: Endpoint,
    scheme: SignatureScheme = SignatureScheme.V1,
    secret: str = "",
) -> EndpointSecret:
    """Create the current secret of an endpoint; `secret` is one that its receiver has already.

    Part of the caller's transaction. Raises WeakSecret or SecretInUse.
    """
    require_transaction("create_secret")
    row = EndpointSecret(organization_id=endpoint.organization_id, endpoint=endpoint, scheme=scheme)
    if scheme == SignatureScheme.V1A:
        if secret:
            raise WeakSecret("A key pair is always generated here.")
        row.secret, row.public_key = signatures.new_key_pair()
    else:
        if secret:
            _check_secret(secret, row)
        row.secret = secret or signatures.new_secret()
    row.save(force_insert=True)
    return row


def _check_secret(secret: str, row: EndpointSecret) -> None:
    """A shared secret must be strong, and no other endpoint may have it."""
    if not secret.startswith(signatures.SECRET) or not signatures.is_secret(secret):
        raise WeakSecret
    key = _bytes_of(secret)
    if len(set(key)) < MIN_DISTINCT_BYTES:
        raise WeakSecret
    others = EndpointSecret.objects.filter(
        organization_id=row.organization_id, scheme=SignatureScheme.V1
    )
    # Every one is decrypted, for ciphertexts cannot be compared; there are a hundred at most.
    others = others.exclude(endpoint_id=row.endpoint_id)
    if any(
        _is_readable(other) and hmac.compare_digest(_bytes_of(other.secret), key)
        for other in others
    ):
        raise SecretInUse


def _bytes_of(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(signatures.SECRET))


def rotate_secret(
    *,
    endpoint: Endpoint,
    scheme: SignatureScheme | None = None,
    overlap_seconds: int | None = None,
) -> EndpointSecret:
    """Replace the current secret; the old one signs as well for `overlap_seconds`.

    The overlap is WEBHOOK_SECRET_OVERLAP_SECONDS by default; 0 ends all old secrets at once, as
    after a leak. Without `scheme` it stays the same. Raises RotatedTooOften.
    """
    overlap = (
        settings.WEBHOOK_SECRET_OVERLAP_SECONDS if overlap_seconds is None else overlap_seconds
    )
    with transaction.atomic():
        present = Endpoint.objects.select_for_update(no_key=True).present()
        if not present.filter(id=endpoint.id).exists():
            raise errors.NotFound
        now = database_now()
        existing = EndpointSecret.objects.filter(endpoint=endpoint)
        current = existing.current().first()
        existing.current().update(expires_at=now + timedelta(seconds=overlap), updated_at=now)
        existing.filter(Q() if overlap == 0 else Q(expires_at__lte=now)).delete()
        existing.filter(id__in=[row.id for row in existing if not _is_readable(row)]).delete()
        if existing.count() >= MAX_AT_ONCE:
            raise RotatedTooOften
        usual = SignatureScheme(current.scheme) if current else SignatureScheme.V1
        new_secret = create_secret(endpoint=endpoint, scheme=scheme or usual)
        record_security_event(
            kind="webhooks.endpoint_secret_rotated",
            severity=Severity.INFO,
            organization_id=endpoint.organization_id,
            data={"endpoint_id": str(endpoint.id), "overlap_seconds": overlap},
            outlives_rollback=False,
        )
    return new_secret


def _is_readable(row: EndpointSecret) -> bool:
    try:
        return bool(row.secret)
    except SecretsError:
        return False
