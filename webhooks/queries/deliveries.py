"""Which deliveries there are, what each came to, and which of them can be owed again."""

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
    """Deliveries as a list shows them: without their bodies."""
    return whole(deliveries).defer("body")


def whole(deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Deliveries with what their explanation needs."""
    return deliveries.select_related("endpoint")


def attempts_of(delivery: Delivery) -> list[DeliveryAttempt]:
    """The last attempts of a delivery, in their order."""
    newest = DeliveryAttempt.objects.filter(delivery=delivery).order_by("-number")
    return list(newest[:SHOWN_ATTEMPTS])[::-1]


def replayable(deliveries: QuerySet[Delivery], moment: datetime) -> QuerySet[Any]:
    """Those that have ended or wait after a failure, of the last 14 days, oldest first.

    Only at endpoints that are sent to. One that has just been replayed is none of them.
    """
    recent = deliveries.filter(created_at__gt=moment - REPLAYABLE_FOR, endpoint__disabled_at=None)
    failed_so_far = Q(status=DeliveryStatus.QUEUED, attempt_count__gt=0)
    return recent.filter(Q(ended_at__isnull=False) | failed_so_far).order_by("created_at", "id")


def narrowed(
    deliveries: QuerySet[Delivery],
    *,
    status: str | None = None,
    event_type: str | None = None,
    endpoint: UUID | None = None,
    event: UUID | None = None,
    created_after: datetime | None = None,
    created_before: datetime | None = None,
) -> QuerySet[Delivery]:
    """Those that have all that is named; without a status those not yet delivered."""
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
    """Those of all organizations that are to be sent, and those that a sender holds."""
    return Delivery.objects.filter(status__in=(DeliveryStatus.QUEUED, DeliveryStatus.RUNNING))


def waiting_by_endpoint() -> list[tuple[Endpoint, int, datetime]]:
    """Each endpoint that deliveries wait for, how many, and when the oldest was written."""
    rows = waiting().values("endpoint").annotate(many=Count("id"), oldest=Min("created_at"))
    found = {row["endpoint"]: row for row in rows}
    endpoints = Endpoint.objects.select_related("organization").filter(id__in=found)
    return [
        (endpoint, found[endpoint.id]["many"], found[endpoint.id]["oldest"])
        for endpoint in endpoints.order_by("organization__name", "id")
    ]


def of_endpoint(endpoint: Endpoint) -> DeliveryQuerySet:
    """All deliveries of an endpoint, as the indexes of the log find them."""
    return Delivery.objects.filter(organization=endpoint.organization_id, endpoint=endpoint)


def newest_of(endpoint: Endpoint, many: int) -> list[Delivery]:
    """The newest deliveries of an endpoint, newest first."""
    rows = listed(of_endpoint(endpoint))
    return list(rows.order_by("-created_at", "-id")[:many])
