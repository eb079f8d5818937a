"""A message from another system."""

from __future__ import annotations

from django.db import models

from core.db.rows import OrganizationModel

MAX_NAME_LENGTH = 255


class InboundMessage(OrganizationModel):
    """A verified message, stored before it is handled.

    `message_id` is the sender's id, `signed_hash` the SHA-256 of the signed bytes. Both are unique
    per source: the same bytes with another id in an unsigned header are a duplicate. `body` is null
    once it was pruned.
    """

    organization = models.ForeignKey(
        "core.Organization", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    source = models.ForeignKey(
        "webhooks.InboundSource",
        on_delete=models.CASCADE,
        related_name="messages",
        db_index=False,
    )
    message_id = models.CharField(max_length=MAX_NAME_LENGTH)
    signed_hash = models.CharField(max_length=64)
    type = models.CharField(max_length=MAX_NAME_LENGTH, blank=True)
    object_id = models.CharField(max_length=MAX_NAME_LENGTH, blank=True)
    content_type = models.CharField(max_length=MAX_NAME_LENGTH, blank=True)
    body = models.BinaryField(null=True)
    size_bytes = models.PositiveIntegerField()
    received_at = models.DateTimeField()
    handled_at = models.DateTimeField(null=True, blank=True)
    job = models.ForeignKey("core.Job", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("source", "message_id"), name="inbound_message_named_once"
            ),
            models.UniqueConstraint(
                fields=("source", "signed_hash"), name="inbound_message_signed_once"
            ),
        )
        indexes = (
            models.Index(fields=("organization", "-created_at", "-id"), name="inbound_newest"),
            models.Index(
                fields=("organization", "type", "-created_at", "-id"), name="inbound_by_type"
            ),
            models.Index(fields=("source", "-created_at", "-id"), name="inbound_of_source"),
            models.Index(
                fields=("received_at",),
                name="inbound_with_body",
                condition=models.Q(body__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.message_id}".strip()
