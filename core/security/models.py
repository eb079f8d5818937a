"""The log of security events."""

from __future__ import annotations

from django.db import models

from core.db.rows import BaseModel


class Severity(models.TextChoices):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class SecurityEvent(BaseModel):
    """Something staff may want to look into: a refused key, a forged signature, a change of rights.

    Append-only. `data` holds ids and a few plain values, never a secret. The person and the
    organization may be unknown, and may be deleted later without taking the record with them.
    """

    kind = models.CharField(max_length=80)
    severity = models.CharField(max_length=10, choices=Severity, default=Severity.WARNING)
    organization = models.ForeignKey(
        "core.Organization", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    user = models.ForeignKey(
        "core.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    ip = models.GenericIPAddressField(null=True, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=("kind", "-created_at"), name="security_event_kind"),
            models.Index(fields=("severity", "-created_at"), name="security_event_severity"),
            models.Index(
                fields=("organization", "-created_at"), name="security_event_organization"
            ),
            models.Index(fields=("user", "-created_at"), name="security_event_user"),
            models.Index(fields=("ip", "-created_at"), name="security_event_ip"),
            models.Index(fields=("-created_at",), name="security_event_created"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.created_at:%Y-%m-%d %H:%M:%S}"
