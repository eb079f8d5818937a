"""What endpoints' deliveries are signed with: handing out and rotating."""

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

MOST_AT_ONCE = 5
FEWEST_DIFFERENT = 16  # bytes: of 24 random ones about 23 are


class WeakSecret(errors.Invalid):
    """A secret that somebody could guess, or that the standard does not know."""

    code = "endpoint.weak_secret"
    message = "A secret is whsec_ and the base64 of 24 to 64 random bytes."


class SecretInUse(errors.Conflict):
    """Whoever knows the secret of one endpoint could sign as if for another."""

    code = "endpoint.secret_in_use"
    message = "Another endpoint has this secret already. Give each one of its own."


class RotatedTooOften(errors.Conflict):
    """Every secret makes each delivery longer."""

    code = "endpoint.rotated_too_often"
    message = "Too many old secrets still sign. Wait until one has ended, or end them at once."


def create_secret(
    *,
    endpoint: Endpoint,
    scheme: SignatureScheme = SignatureScheme.V1,
    secret: str = "",
) -> EndpointSecret:
    """The endpoint's new current secret; `secret` is one that its receiver knows already.

    Part of making or rotating, in its transaction. Raises WeakSecret or SecretInUse.
    """
    require_transaction("create_secret")
    row = EndpointSecret(organization_id=endpoint.organization_id, endpoint=endpoint, scheme=scheme)
    if scheme == SignatureScheme.V1A:
        if secret:
            raise WeakSecret("A key pair is always made here.")
        row.secret, row.public_key = signatures.new_key_pair()
    else:
        _check_given(secret, row)
        row.secret = secret or signatures.new_secret()
    row.save(force_insert=True)
    return row


def _check_given(secret: str, row: EndpointSecret) -> None:
    """Nothing, or a shared secret that is strong enough and that no other endpoint has."""
    if not secret:
        return
    if not secret.startswith(signatures.SECRET) or not signatures.is_secret(secret):
        raise WeakSecret
    key = _bytes_of(secret)
    if len(set(key)) < FEWEST_DIFFERENT:
        raise WeakSecret
    held = EndpointSecret.objects.filter(
        organization_id=row.organization_id, scheme=SignatureScheme.V1
    )
    # Each is opened: at most some hundred, and sealed texts cannot be compared.
    others = held.exclude(endpoint_id=row.endpoint_id)
    if any(_opens(one) and hmac.compare_digest(_bytes_of(one.secret), key) for one in others):
        raise SecretInUse


def _bytes_of(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(signatures.SECRET))


def rotate_secret(
    *,
    endpoint: Endpoint,
    scheme: SignatureScheme | None = None,
    overlap_seconds: int | None = None,
) -> EndpointSecret:
    """Sign with a new secret, for a while beside the ones before: a day unless set otherwise.

    An overlap of 0 ends all old ones at once, as after a leak; those that cannot be read end too.
    Without `scheme` it stays as it is. Raises RotatedTooOften.
    """
    overlap = (
        settings.WEBHOOK_SECRET_OVERLAP_SECONDS if overlap_seconds is None else overlap_seconds
    )
    with transaction.atomic():
        present = Endpoint.objects.select_for_update(no_key=True).present()
        if not present.filter(id=endpoint.id).exists():
            raise errors.NotFound
        moment = database_now()
        held = EndpointSecret.objects.filter(endpoint=endpoint)
        current = held.current().first()
        held.current().update(expires_at=moment + timedelta(seconds=overlap), updated_at=moment)
        held.filter(Q() if overlap == 0 else Q(expires_at__lte=moment)).delete()
        held.filter(id__in=[row.id for row in held if not _opens(row)]).delete()
        if held.count() >= MOST_AT_ONCE:
            raise RotatedTooOften
        usual = SignatureScheme(current.scheme) if current else SignatureScheme.V1
        made = create_secret(endpoint=endpoint, scheme=scheme or usual)
        record_security_event(
            kind="webhooks.endpoint_secret_rotated",
            severity=Severity.INFO,
            organization_id=endpoint.organization_id,
            data={"endpoint_id": str(endpoint.id), "overlap_seconds": overlap},
            outlives_rollback=False,
        )
    return made


def _opens(row: EndpointSecret) -> bool:
    try:
        return bool(row.secret)
    except SecretsError:
        return False
