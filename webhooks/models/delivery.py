"""One event owed to one endpoint."""

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
    FAILED = "failed"  # no use trying again: the receiver said it is gone
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
    """Deliveries of an organization; with its endpoint they are gone."""

    def visible_to(self, actor: Asker) -> Self:
        gone = Endpoint.objects.deleted().filter(organization=actor.organization)
        return super().visible_to(actor).exclude(endpoint__in=gone)

    def queued(self) -> Self:
        """Those that wait for their next attempt."""
        return self.filter(status=DeliveryStatus.QUEUED)

    def undelivered(self) -> Self:
        """Those that were given up or still wait."""
        return self.filter(status__in=UNDELIVERED)


def _log_indexes(name: str, *owners: str) -> list[models.Index]:
    """One for each choice of filters, so that a page of the log reads no more than its rows.

    All begin with the organization: PostgreSQL guesses how scattered rows are from the first column
    and would pass over the fitting index if that were another.
    """
    return [
        models.Index(fields=(*owners, *chosen, "-created_at", "-id"), name=f"{name}_{suffix}")
        for suffix, chosen in LOGGED_BY.items()
    ]


class Delivery(OrganizationModel):
    """What an endpoint is owed: `body` is what is signed, sent, and sent again, letter by letter.

    `attempt_count` counts the tries of the current round of the schedule; a replay begins a new
    round, while `DeliveryAttempt.number` goes on. A sender holds a running delivery until
    `lease_until` under `lease_token`, and writes nothing once that token has moved on.
    """

    organization = models.ForeignKey(
        "core.Organization", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    event = models.ForeignKey(
        "core.Event", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    # No index but `delivery_of_endpoint`, which is not in the order of what waits: what looks for
    # waiting lanes would take it for theirs, and read all that ever ended.
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
        """Whether no attempt follows by itself."""
        return self.status in ENDED

    @property
    def earliest_attempt_at(self) -> datetime | None:
        """When its next attempt may be made: not while its endpoint is paused or disabled."""
        if self.next_attempt_at is None or self.has_ended or not self.endpoint.is_enabled:
            return None
        return max(self.next_attempt_at, self.endpoint.paused_until or self.next_attempt_at)

    def may_become(self, status: DeliveryStatus) -> bool:
        """Whether `status` is a legal next one."""
        return status in MOVES[DeliveryStatus(self.status)]
