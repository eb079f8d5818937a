"""A secret that signs deliveries to an endpoint."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from core.db.rows import OrganizationModel, OrganizationModelQuerySet
from core.secrets.fields import EncryptedField


class SignatureScheme(models.TextChoices):
    """The schemes of Standard Webhooks 1.0.0, as named in `webhook-signature`."""

    V1 = "v1", "HMAC-SHA256"
    V1A = "v1a", "ed25519"


class EndpointSecretQuerySet(OrganizationModelQuerySet):
    """Secrets of an organization."""

    def current(self) -> Self:
        """The current secret of each endpoint."""
        return self.filter(expires_at=None)


class EndpointSecret(OrganizationModel):
    """The current secret of an endpoint, or an older one that signs until `expires_at`.

    For `v1a` the secret is a private key and is never shown; `public_key` verifies.
    """

    endpoint = models.ForeignKey(
        "webhooks.Endpoint", on_delete=models.CASCADE, related_name="secrets"
    )
    scheme = models.CharField(max_length=3, choices=SignatureScheme, default=SignatureScheme.V1)
    secret = EncryptedField()
    public_key = models.CharField(max_length=100, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[EndpointSecretQuerySet] = EndpointSecretQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("endpoint",),
                condition=Q(expires_at=None),
                name="endpoint_secret_one_current",
            ),
        )

    def __str__(self) -> str:
        return f"{self.scheme} {self.id}"
