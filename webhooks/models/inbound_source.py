"""A system that may send messages."""

from __future__ import annotations

from datetime import datetime

from django.db import models

from core.db.rows import OrganizationModel
from core.secrets.fields import EncryptedField
from core.secrets.keyring import SecretsError


class Scheme(models.TextChoices):
    """How a sender signs. It never changes: duplicates are found by it."""

    STANDARD = "standard"  # Standard Webhooks 1.0.0
    TIMESTAMPED = "timestamped"  # X-Webhook-Signature over `timestamp.body`
    GITHUB = "github"  # X-Hub-Signature-256 over the body
    STRIPE = "stripe"  # Stripe-Signature over `timestamp.body`


# Their signatures cover no timestamp, so they are valid for ever.
WITHOUT_TIMESTAMP = (Scheme.GITHUB,)


class InboundSource(OrganizationModel):
    """A sender with its secret and scheme. Its id is the last part of the address it sends to.

    After a rotation the previous secret is valid until `previous_until`.
    """

    name = models.CharField(max_length=100)
    scheme = models.CharField(max_length=12, choices=Scheme)
    secret = EncryptedField()
    previous_secret = EncryptedField(null=True)
    previous_until = models.DateTimeField(null=True, blank=True)
    is_enabled = models.BooleanField(default=True)

    class Meta:
        indexes = (
            models.Index(fields=("organization", "-created_at", "-id"), name="source_newest"),
        )

    def __str__(self) -> str:
        return self.name

    def secrets_at(self, moment: datetime) -> tuple[str, ...]:
        """The secrets that are valid at that time, the current one first.

        Unreadable secrets are left out. Raises SecretsError if no other is valid.
        """
        overlaps = self.previous_until is not None and self.previous_until > moment
        found: list[str] = []
        unreadable: SecretsError | None = None
        for name in ("secret", "previous_secret") if overlaps else ("secret",):
            try:
                found.append(getattr(self, name))
            except SecretsError as error:
                unreadable = error
        if not found and unreadable is not None:
            raise unreadable
        return tuple(found)
