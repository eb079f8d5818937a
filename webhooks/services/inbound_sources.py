"""Who may tell us something: making a sender known, and replacing its secret."""

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

FEWEST_CHARACTERS = 16
MOST_CHARACTERS = 255
UNFIT = "A secret has 16 to 255 printable ASCII characters and no spaces."
NOT_STANDARD = "A Standard Webhooks secret is `whsec_` and the base64 of 24 to 64 bytes."


class TooManySources(errors.Conflict):
    """The organization has as many sources as it may have."""

    code = "source.too_many"
    message = "There are as many sources as an organization may have. Delete one first."


def create_source(
    *, actor: Actor, name: str, scheme: Scheme, secret: str | None = None
) -> InboundSource:
    """Make a sender known, with the secret it hands out or one of ours.

    Raises Invalid or TooManySources.
    """
    chosen = new_secret(scheme) if secret is None else _checked(secret, scheme)
    with transaction.atomic():
        _check_room(actor.organization)
        source: InboundSource = InboundSource.objects.create(
            organization=actor.organization, name=name, scheme=scheme, secret=chosen
        )
    return source


def _check_room(organization: Organization) -> None:
    """Under the organization's lock, so that two at once cannot both be the last."""
    Organization.objects.select_for_update(no_key=True).get(id=organization.id)
    held = InboundSource.objects.filter(organization=organization).count()
    if held >= settings.INBOUND_SOURCES_PER_ORGANIZATION:
        raise TooManySources


def update_source(*, source: InboundSource, **changes: Any) -> InboundSource:
    """Change `name` or `is_enabled`, and nothing that somebody else changes at the same time."""
    with transaction.atomic():
        held = _locked(source)
        for name, value in changes.items():
            setattr(held, name, value)
        held.save(update_fields=[*changes, "updated_at"])
    return held


def rotate_secret(
    *, source: InboundSource, secret: str | None = None, overlap_seconds: int | None = None
) -> InboundSource:
    """Give the source a new secret; the old one stays good for a while, unless that is 0.

    Usually for WEBHOOK_SECRET_OVERLAP_SECONDS. Raises Invalid, and NotFound once it is gone.
    """
    overlap = (
        settings.WEBHOOK_SECRET_OVERLAP_SECONDS if overlap_seconds is None else overlap_seconds
    )
    scheme = Scheme(source.scheme)
    chosen = new_secret(scheme) if secret is None else _checked(secret, scheme)
    with transaction.atomic():
        held = _locked(source)
        current = _readable(held)
        if overlap <= 0:
            held.previous_secret = held.previous_until = None
        elif current not in (None, chosen):  # else what overlaps already goes on to its own end
            held.previous_secret, held.previous_until = current, database_now(plus_seconds=overlap)
        held.secret = chosen
        held.save()
        record_security_event(
            kind="webhooks.source_secret_rotated",
            severity=Severity.INFO,
            organization_id=held.organization_id,
            data={"source_id": str(held.id), "overlap_seconds": overlap},
            outlives_rollback=False,
        )
    return held


def _readable(source: InboundSource) -> str | None:
    """The secret that is replaced; None for one that cannot be read, so is good for nothing."""
    try:
        return source.secret
    except SecretsError:
        return None


def new_secret(scheme: Scheme) -> str:
    """A secret of 256 random bits in the form that senders of the scheme expect."""
    if scheme == Scheme.STANDARD:
        return signatures.new_secret()
    return secrets.token_urlsafe(32)


def _locked(source: InboundSource) -> InboundSource:
    held: InboundSource | None = (
        InboundSource.objects.select_for_update().filter(id=source.id).first()
    )
    if held is None:
        raise errors.NotFound
    return held


def _checked(secret: str, scheme: Scheme) -> str:
    fits = FEWEST_CHARACTERS <= len(secret) <= MOST_CHARACTERS
    if not fits or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise errors.Invalid(fields={"secret": [UNFIT]})
    if scheme == Scheme.STANDARD and not signatures.is_secret(secret):
        raise errors.Invalid(fields={"secret": [NOT_STANDARD]})
    return secret
