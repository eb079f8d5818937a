"""Where a customer listens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from django.db import models
from django.db.models import Q

from core.db.rows import Asker, OrganizationModel, OrganizationModelQuerySet

EVERY_TYPE = "*"


class DisabledReason(models.TextChoices):
    """Why nothing is sent any more; by whom it was decided."""

    BY_HAND = "by_hand"
    GONE = "gone"  # it answered 410
    FAILING = "failing"  # nothing but failures for days


class EndpointQuerySet(OrganizationModelQuerySet):
    """Endpoints of an organization; one that was deleted is seen by nobody."""

    def visible_to(self, actor: Asker) -> Self:
        return super().visible_to(actor).present()

    def present(self) -> Self:
        """Those that nobody has deleted."""
        return self.filter(deleted_at=None)

    def deleted(self) -> Self:
        """Those that go when all they were owed has gone."""
        return self.filter(deleted_at__isnull=False)


class Endpoint(OrganizationModel):
    """An address of a customer's, the types of events it hears, and how sending to it fares.

    `event_types` are names or patterns such as `export.*` and `*`. What it is owed while it is
    disabled waits until it is enabled again; events of that time are not owed.

    One with `deleted_at` is disabled for ever and on its way out.

    The rest is its lane's, written by senders, and by who ends a pause: `paused_until` is the
    earliest next attempt after failures in a row or a wish of its own (Retry-After),
    `failing_since` the first failure after the last success, `next_slot_at` the place in the rate
    limit (a theoretical arrival time, ITU-T I.371).
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
        """What people call it, else where it is: scheme and host, for the rest may be secret."""
        parts = urlsplit(self.url)
        return self.description or f"{parts.scheme}://{parts.netloc}"

    @property
    def is_enabled(self) -> bool:
        """Whether events are sent to it."""
        return self.disabled_at is None

    @property
    def current_secret(self) -> Any:
        """The EndpointSecret that has no end. Reads `secrets`."""
        return next((one for one in self.secrets.all() if one.expires_at is None), None)

    def hears(self, event_type: str) -> bool:
        """Whether it asked for this type; `export.*` is all that begins with `export.`."""
        return is_heard(event_type, self.event_types)


def is_heard(event_type: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns fits the type."""
    return any(_matches(pattern, event_type) for pattern in patterns)


def _matches(pattern: str, event_type: str) -> bool:
    if pattern.endswith(f".{EVERY_TYPE}"):
        return event_type.startswith(pattern.removesuffix(EVERY_TYPE))
    return pattern in (EVERY_TYPE, event_type)
