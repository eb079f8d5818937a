"""Reads of deliveries and their attempts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Min, Q, QuerySet

from webhooks.models import (
    Delivery,
    DeliveryAttempt,
    DeliveryQuerySet,
    DeliveryStatus,
    Endpoint,
)
from webhooks.models.delivery import UNDELIVERED

SHOWN_ATTEMPTS = 50
REPLAYABLE_FOR = timedelta(days=14)


def listed(deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Deliveries for a list: without their bodies."""
    return with_endpoint(deliveries).defer("body")


def with_endpoint(deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Deliveries with their endpoint, which explanations need."""
    return deliveries.select_related("endpoint")


def attempts_of(delivery: Delivery) -> list[DeliveryAttempt]:
    """The last attempts of a delivery, oldest first."""
    newest = DeliveryAttempt.objects.filter(delivery=delivery).order_by("-number")
    return list(newest[:SHOWN_ATTEMPTS])[::-1]


def replayable(deliveries: QuerySet[Delivery], moment: datetime) -> QuerySet[Any]:
    """Deliveries of 14 days to enabled endpoints that ended or failed so far, oldest first.

    A delivery that was just replayed waits for its first attempt, and is not among them.
    """
    recent = deliveries.filter(created_at__gt=moment - REPLAYABLE_FOR, endpoint__disabled_at=None)
    failed_so_far = Q(status=DeliveryStatus.QUEUED, attempt_count__gt=0)
    return recent.filter(Q(ended_at__isnull=False) | failed_so_far).order_by("created_at", "id")


def filtered(
    deliveries: QuerySet[Delivery],
    *,
    status: str | None = None,
    event_type: str | None = None,
    endpoint: UUID | None = None,
    event: UUID | None = None,
    created_after: datetime | None = None,
    created_before: datetime | None = None,
) -> QuerySet[Delivery]:
    """Deliveries that fit all given filters; without a status, only undelivered ones."""
    wanted: dict[str, Any] = {
        "status": status,
        "event_type": event_type,
        "endpoint_id": endpoint,
        "event_id": event,
        "created_at__gt": created_after,
        "created_at__lt": created_before,
    }
    named = {name: value for name, value in wanted.items() if value is not None}
    if status is None:
        named["status__in"] = UNDELIVERED
    return deliveries.filter(**named)


def waiting() -> DeliveryQuerySet:
    """Queued and running deliveries of all organizations."""
    return Delivery.objects.filter(status__in=(DeliveryStatus.QUEUED, DeliveryStatus.RUNNING))


def waiting_by_endpoint() -> list[tuple[Endpoint, int, datetime]]:
    """Endpoints with waiting deliveries, their number, and when the oldest was created."""
    rows = waiting().values("endpoint").annotate(many=Count("id"), oldest=Min("created_at"))
    found = {row["endpoint"]: row for row in rows}
    endpoints = Endpoint.objects.select_related("organization").filter(id__in=found)
    return [
        (endpoint, found[endpoint.id]["many"], found[endpoint.id]["oldest"])
        for endpoint in endpoints.order_by("organization__name", "id")
    ]


def of_endpoint(endpoint: Endpoint) -> DeliveryQuerySet:
    """All deliveries of an endpoint."""
    # With the organization, for the indexes of the log begin with it.
    return Delivery.objects.filter(organization=endpoint.organization_id, endpoint=endpoint)


def newest_of(endpoint: Endpoint, many: int) -> list[Delivery]:
    """The newest deliveries of an endpoint, newest first."""
    rows = listed(of_endpoint(endpoint))
    return list(rows.order_by("-created_at", "-id")[:many])
