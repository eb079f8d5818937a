"""One event for one endpoint."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from core.db.rows import Asker, OrganizationModel, OrganizationModelQuerySet
from webhooks.models.endpoint import Endpoint


class DeliveryStatus(models.TextChoices):
    """Legal moves are in `MOVES`."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"  # the receiver is gone: no use trying again
    DEAD = "dead"  # attempts used up, or given up by an operator


ENDED = (DeliveryStatus.SUCCEEDED, DeliveryStatus.FAILED, DeliveryStatus.DEAD)
UNDELIVERED = (DeliveryStatus.QUEUED, DeliveryStatus.FAILED, DeliveryStatus.DEAD)
REPLAYABLE = [(one.value, one.label) for one in (DeliveryStatus.QUEUED, *ENDED)]

MOVES: dict[DeliveryStatus, tuple[DeliveryStatus, ...]] = {
    DeliveryStatus.QUEUED: (DeliveryStatus.RUNNING, DeliveryStatus.DEAD),
    DeliveryStatus.RUNNING: (DeliveryStatus.QUEUED, *ENDED),
    DeliveryStatus.SUCCEEDED: (DeliveryStatus.QUEUED,),
    DeliveryStatus.FAILED: (DeliveryStatus.QUEUED,),
    DeliveryStatus.DEAD: (DeliveryStatus.QUEUED,),
}


LOGGED_BY: dict[str, tuple[str, ...]] = {
    "log": (),
    "status": ("status",),
    "type": ("event_type",),
    "both": ("status", "event_type"),
}


class DeliveryQuerySet(OrganizationModelQuerySet):
    """Deliveries of an organization; those of deleted endpoints are invisible."""

    def visible_to(self, actor: Asker) -> Self:
        gone = Endpoint.objects.deleted().filter(organization=actor.organization)
        return super().visible_to(actor).exclude(endpoint__in=gone)

    def queued(self) -> Self:
        """Deliveries that wait for their next attempt."""
        return self.filter(status=DeliveryStatus.QUEUED)

    def undelivered(self) -> Self:
        """Deliveries that were given up or still wait."""
        return self.filter(status__in=UNDELIVERED)


def _log_indexes(name: str, *owners: str) -> list[models.Index]:
    """One index per choice of filters, so that a page of the log reads no more than its rows."""
    # All begin with the organization: from the first column PostgreSQL estimates how scattered rows
    # are, and with another one it does not choose the fitting index.
    return [
        models.Index(fields=(*owners, *chosen, "-created_at", "-id"), name=f"{name}_{suffix}")
        for suffix, chosen in LOGGED_BY.items()
    ]


class Delivery(OrganizationModel):
    """One event for one endpoint. `body` holds the exact bytes that are signed and sent.

    `attempt_count` counts the attempts of the current round of the schedule; a replay starts a new
    round, while `DeliveryAttempt.number` goes on. A sender has leased a running delivery until
    `lease_until` under `lease_token`.
    """

    organization = models.ForeignKey(
        "core.Organization", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    event = models.ForeignKey(
        "core.Event", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    # No index of its own: the query for waiting lanes would use it and read all ended deliveries.
    endpoint = models.ForeignKey(
        "webhooks.Endpoint", on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    event_type = models.CharField(max_length=80)
    body = models.TextField()

    status = models.CharField(max_length=10, choices=DeliveryStatus, default=DeliveryStatus.QUEUED)
    attempt_count = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_token = models.PositiveIntegerField(default=0)
    last_status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    last_error_kind = models.CharField(max_length=40, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[DeliveryQuerySet] = DeliveryQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = (
            models.UniqueConstraint(fields=("event", "endpoint"), name="delivery_owed_once"),
        )
        indexes = (
            models.Index(
                fields=("endpoint", "next_attempt_at"),
                name="delivery_waiting",
                condition=Q(status="queued"),
            ),
            models.Index(fields=("endpoint", "id"), name="delivery_of_endpoint"),
            models.Index(
                fields=("lease_until",), name="delivery_held", condition=Q(status="running")
            ),
            *_log_indexes("delivery", "organization"),
            *_log_indexes("delivery_of_endpoint", "organization", "endpoint"),
            models.Index(fields=("ended_at",), name="delivery_ended"),
        )

    def __str__(self) -> str:
        return f"{self.event_type} {self.id}"

    @property
    def has_ended(self) -> bool:
        """Whether no further attempt is planned."""
        return self.status in ENDED

    @property
    def earliest_attempt_at(self) -> datetime | None:
        """The earliest time of the next attempt; None while the endpoint is disabled."""
        if self.next_attempt_at is None or self.has_ended or not self.endpoint.is_enabled:
            return None
        return max(self.next_attempt_at, self.endpoint.paused_until or self.next_attempt_at)

    def may_become(self, status: DeliveryStatus) -> bool:
        """Whether `status` is a legal next status."""
        return status in MOVES[DeliveryStatus(self.status)]
