"""A customer's receiver."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import urlsplit

from django.db import models
from django.db.models import Q

from core.db.rows import Asker, OrganizationModel, OrganizationModelQuerySet

if TYPE_CHECKING:
    from webhooks.models.secret import EndpointSecret

EVERY_TYPE = "*"


class DisabledReason(models.TextChoices):
    """Why an endpoint is disabled."""

    BY_HAND = "by_hand"
    GONE = "gone"  # it answered 410
    FAILING = "failing"  # nothing but failures for days


class EndpointQuerySet(OrganizationModelQuerySet):
    """Endpoints of an organization; deleted ones are invisible."""

    def visible_to(self, actor: Asker) -> Self:
        return super().visible_to(actor).present()

    def present(self) -> Self:
        """Endpoints that are not deleted."""
        return self.filter(deleted_at=None)

    def deleted(self) -> Self:
        """Deleted endpoints, whose deliveries are still being removed."""
        return self.filter(deleted_at__isnull=False)


class Endpoint(OrganizationModel):
    """An address of a customer and the event types that are sent to it.

    `event_types` are names or patterns such as `export.*` and `*`. While it is disabled its waiting
    deliveries stay queued, and no new ones are created. With `deleted_at` it is being removed.

    Senders record how its attempts end: `paused_until` is the earliest next attempt after failures
    in a row or a Retry-After, `failing_since` the first failure after the last success,
    `next_slot_at` the theoretical arrival time of its rate limit (ITU-T I.371).
    """

    url = models.CharField(max_length=2048)
    description = models.CharField(max_length=200, blank=True)
    event_types: models.JSONField[Any, Any] = models.JSONField(default=list)
    rate_limit_per_second = models.PositiveSmallIntegerField(null=True, blank=True)

    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_reason = models.CharField(max_length=10, choices=DisabledReason, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    failures_in_a_row = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True, blank=True)
    paused_until = models.DateTimeField(null=True, blank=True)
    next_slot_at = models.DateTimeField(null=True, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[EndpointQuerySet] = EndpointQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = (
            models.Index(fields=("organization", "-created_at", "-id"), name="endpoint_newest"),
            models.Index(
                fields=("deleted_at",),
                name="endpoint_deleted",
                condition=Q(deleted_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """Its description, or else scheme and host: the rest of the URL may be secret."""
        parts = urlsplit(self.url)
        return self.description or f"{parts.scheme}://{parts.netloc}"

    @property
    def is_enabled(self) -> bool:
        """Whether events are sent to it."""
        return self.disabled_at is None

    @property
    def current_secret(self) -> EndpointSecret | None:
        """The secret without an expiry. Reads `secrets`."""
        return next((one for one in self.secrets.all() if one.expires_at is None), None)

    def subscribes_to(self, event_type: str) -> bool:
        """Whether one of its patterns matches the type."""
        return matches_any(event_type, self.event_types)


def matches_any(event_type: str, patterns: Iterable[str]) -> bool:
    """Whether a pattern matches the type: its name, `*`, or `export.*` for all of `export.`."""
    return any(
        pattern in (EVERY_TYPE, event_type)
        or (
            pattern.endswith(f".{EVERY_TYPE}")
            and event_type.startswith(pattern.removesuffix(EVERY_TYPE))
        )
        for pattern in patterns
    )
