"""Keys for programs."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from datetime import datetime
from typing import Any, ClassVar, NamedTuple, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models

from core.db.rows import OrganizationModel, OrganizationModelQuerySet

PREFIX_LENGTH = 8
SECRET_BYTES = 32
BASE62 = string.digits + string.ascii_letters
PATTERN = re.compile(r"mb_([0-9A-Za-z]{8})_([0-9A-Za-z_-]{43})")


class KeyText(NamedTuple):
    """A key as its holder sends it: a part to look the row up by, and a part to prove it with."""

    prefix: str
    secret: str

    @classmethod
    def new(cls) -> KeyText:
        prefix = "".join(secrets.choice(BASE62) for _ in range(PREFIX_LENGTH))
        return cls(prefix, secrets.token_urlsafe(SECRET_BYTES))

    @classmethod
    def parse(cls, text: str) -> KeyText | None:
        """The two parts, None for what is not shaped like a key."""
        match = PATTERN.fullmatch(text)
        return cls(*match.groups()) if match else None

    def __str__(self) -> str:
        return f"mb_{self.prefix}_{self.secret}"


def hash_secret(secret: str) -> str:
    """SHA-256 in hex. A slow hash protects guessable passwords; 256 random bits need none."""
    return hashlib.sha256(secret.encode()).hexdigest()


class ApiKeyQuerySet(OrganizationModelQuerySet):
    def visible_to(self, actor: Any) -> Self:
        """Owners and admins see the organization's keys, everybody else their own."""
        rows = super().visible_to(actor)
        return rows if actor.is_admin else rows.filter(user=actor.user)


class ApiKey(OrganizationModel):
    """Lets a program act for a person in one organization, within `scopes` and the person's role.

    Only the hash of the secret is kept. `last_used_at` is at most a minute or two behind.
    """

    user = models.ForeignKey("core.User", on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=PREFIX_LENGTH, unique=True, editable=False)
    secret_hash = models.CharField(max_length=64, editable=False)
    scopes = ArrayField(models.CharField(max_length=40))
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        indexes = (
            models.Index(fields=("organization", "-created_at", "-id"), name="api_key_page"),
        )

    def __str__(self) -> str:
        return f"mb_{self.prefix}_…"

    def is_secret(self, secret: str) -> bool:
        """Whether this is the key's secret; takes the same time however much of it is right."""
        return hmac.compare_digest(self.secret_hash, hash_secret(secret))

    def has_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now
