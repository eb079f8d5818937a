"""Creates and changes inbound sources and rotates their secrets."""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.db import transaction

from core import errors
from core.accounts.actor import Actor
from core.accounts.models import Organization
from core.db.clock import database_now
from core.secrets.keyring import SecretsError
from core.security.models import Severity
from core.security.services import record_security_event
from webhooks import signatures
from webhooks.models import InboundSource, Scheme

MIN_CHARACTERS = 16
MAX_CHARACTERS = 255
INVALID_FORMAT = "A secret must have 16 to 255 printable ASCII characters and no spaces."
INVALID_STANDARD_FORMAT = (
    "A Standard Webhooks secret must be `whsec_` and the base64 of 24 to 64 bytes."
)


class TooManySources(errors.Conflict):
    """The organization has as many sources as it may have."""

    code = "source.too_many"
    message = "The organization has reached its limit of sources. Delete one first."


def create_source(
    *, actor: Actor, name: str, scheme: Scheme, secret: str | None = None
) -> InboundSource:
    """Create a source with the sender's secret or a new one. Raises Invalid or TooManySources."""
    chosen = new_secret(scheme) if secret is None else _checked_secret(secret, scheme)
    with transaction.atomic():
        # Locked, so that of two requests at once only one gets the last place.
        Organization.objects.select_for_update(no_key=True).get(id=actor.organization.id)
        count = InboundSource.objects.filter(organization=actor.organization).count()
        if count >= settings.INBOUND_SOURCES_PER_ORGANIZATION:
            raise TooManySources
        source: InboundSource = InboundSource.objects.create(
            organization=actor.organization, name=name, scheme=scheme, secret=chosen
        )
    return source


def update_source(*, source: InboundSource, **changes: Any) -> InboundSource:
    """Change `name` or `is_enabled`; other fields are not written."""
    with transaction.atomic():
        locked = _locked_source(source)
        for name, value in changes.items():
            setattr(locked, name, value)
        locked.save(update_fields=[*changes, "updated_at"])
    return locked


def rotate_secret(
    *, source: InboundSource, secret: str | None = None, overlap_seconds: int | None = None
) -> InboundSource:
    """Replace the secret of a source; the old one stays valid for `overlap_seconds`.

    The overlap is WEBHOOK_SECRET_OVERLAP_SECONDS by default. Raises Invalid and NotFound.
    """
    overlap = (
        settings.WEBHOOK_SECRET_OVERLAP_SECONDS if overlap_seconds is None else overlap_seconds
    )
    scheme = Scheme(source.scheme)
    chosen = new_secret(scheme) if secret is None else _checked_secret(secret, scheme)
    with transaction.atomic():
        locked = _locked_source(source)
        try:
            current = locked.secret
        except SecretsError:
            current = None  # an unreadable secret verifies nothing
        if overlap <= 0:
            locked.previous_secret = locked.previous_until = None
        # The same secret again does not shorten an overlap that has begun.
        elif current not in (None, chosen):
            locked.previous_secret, locked.previous_until = (
                current,
                database_now(plus_seconds=overlap),
            )
        locked.secret = chosen
        locked.save()
        record_security_event(
            kind="webhooks.source_secret_rotated",
            severity=Severity.INFO,
            organization_id=locked.organization_id,
            data={"source_id": str(locked.id), "overlap_seconds": overlap},
            outlives_rollback=False,
        )
    return locked


def new_secret(scheme: Scheme) -> str:
    """A secret of 256 random bits in the form of the scheme."""
    if scheme == Scheme.STANDARD:
        return signatures.new_secret()
    return secrets.token_urlsafe(32)


def _locked_source(source: InboundSource) -> InboundSource:
    locked: InboundSource | None = (
        InboundSource.objects.select_for_update().filter(id=source.id).first()
    )
    if locked is None:
        raise errors.NotFound
    return locked


def _checked_secret(secret: str, scheme: Scheme) -> str:
    fits = MIN_CHARACTERS <= len(secret) <= MAX_CHARACTERS
    if not fits or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise errors.Invalid(fields={"secret": [INVALID_FORMAT]})
    if scheme == Scheme.STANDARD and not signatures.is_secret(secret):
        raise errors.Invalid(fields={"secret": [INVALID_STANDARD_FORMAT]})
    return secret
