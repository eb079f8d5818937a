"""Answers kept so that a repeated POST is not a second one."""

from __future__ import annotations

from django.db import models

from core.db.rows import BaseModel


class IdempotencyKey(BaseModel):
    """The answer given to a POST, kept for a day under the key its sender chose.

    A key belongs to who sent it: another organization, person or API key may use the same text.
    `fingerprint` is the SHA-256 of method, address and body.
    """

    organization = models.ForeignKey(
        "core.Organization", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    user = models.ForeignKey("core.User", on_delete=models.CASCADE, related_name="+")
    api_key = models.ForeignKey(
        "core.ApiKey", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    location = models.CharField(max_length=500, blank=True)
    body = models.TextField(blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("user", "organization", "api_key", "key"),
                nulls_distinct=False,
                name="idempotency_key_of_sender",
            ),
        )
        indexes = (models.Index(fields=("created_at",), name="idempotency_key_age"),)

    def __str__(self) -> str:
        return self.key
