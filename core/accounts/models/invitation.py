"""Invitations of people into an organization."""

from __future__ import annotations

from django.core import signing
from django.db import models
from django.db.models import Q

from core.accounts.models.membership import Role
from core.db.rows import OrganizationModel


def signer() -> signing.Signer:
    """Made when it is needed: `manage.py transcribe` runs where no SECRET_KEY is set."""
    return signing.Signer(salt="core.accounts.invitation")


class Invitation(OrganizationModel):
    """An offer of membership to whoever reads the mail of an address.

    It knows nothing of the person behind the address: no account is looked up or made before the
    invited person accepts. `accepted_at` is set once; a row with it cannot be used again.
    """

    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Role, default=Role.MEMBER)
    teams = models.ManyToManyField("core.Team", blank=True, related_name="+")
    invited_by = models.ForeignKey(
        "core.User", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "email"),
                condition=Q(accepted_at=None),
                name="invitation_open_once",
            ),
        )
        indexes = (
            models.Index(fields=("organization", "-created_at", "-id"), name="invitation_newest"),
            models.Index(fields=("expires_at",), name="invitation_expiry"),
        )

    def __str__(self) -> str:
        return f"invitation {self.id}"

    @property
    def token(self) -> str:
        """The signed id that the mailed link carries. Never part of an API answer."""
        return signer().sign(str(self.id))
