"""Statistics of an endpoint, read from its newest deliveries."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, Min

from core.db.clock import database_now
from webhooks.models import Delivery, DeliveryStatus, Endpoint
from webhooks.models.delivery import ENDED

# Bounds the cost of a request, however busy the endpoint is.
MAX_READ = 10_000
PERIODS = {"last_day": timedelta(hours=24), "last_week": timedelta(days=7)}

PERIOD = """
WITH newest AS (
    SELECT id, status FROM webhooks_delivery
     WHERE organization_id = %(organization)s AND endpoint_id = %(endpoint)s
       AND created_at > %(since)s
     ORDER BY created_at DESC, id DESC LIMIT %(most)s
), counted AS (
    SELECT status, count(*) AS many FROM newest GROUP BY status
), tried AS (
    SELECT count(*) AS attempts,
           count(*) FILTER (WHERE error_kind = '') AS succeeded,
           percentile_disc(0.5) WITHIN GROUP (ORDER BY duration_ms) AS half,
           percentile_disc(0.95) WITHIN GROUP (ORDER BY duration_ms) AS most
      FROM webhooks_deliveryattempt AS attempt JOIN newest ON newest.id = attempt.delivery_id
)
SELECT (SELECT json_object_agg(status, many) FROM counted), attempts, succeeded, half, most
  FROM tried
"""


@dataclass(frozen=True, slots=True)
class Period:
    """Deliveries and attempts of a period.

    `success_rate` is of ended deliveries, None without one. With `is_sample` only the newest 10,000
    deliveries are counted.
    """

    deliveries: dict[str, int]
    is_sample: bool
    success_rate: float | None
    attempts: int
    attempts_succeeded: int
    duration_ms_p50: int | None
    duration_ms_p95: int | None


@dataclass(frozen=True, slots=True)
class Statistics:
    """Waiting deliveries of an endpoint, and its recent periods.

    With `waiting_is_sample` only the 10,000 that are due next are counted.
    """

    waiting: int
    waiting_is_sample: bool
    oldest_waiting_at: datetime | None
    periods: dict[str, Period] = field(default_factory=dict)


def statistics_of(endpoint: Endpoint) -> Statistics:
    """The statistics of an endpoint, by a few bounded queries."""
    queued = Delivery.objects.queued().filter(endpoint=endpoint).order_by("next_attempt_at")
    waiting = queued[:MAX_READ].aggregate(many=Count("id"), oldest=Min("created_at"))
    now = database_now()
    return Statistics(
        waiting=waiting["many"],
        waiting_is_sample=waiting["many"] == MAX_READ,
        oldest_waiting_at=waiting["oldest"],
        periods={name: _period(endpoint, now - ago) for name, ago in PERIODS.items()},
    )


def _period(endpoint: Endpoint, since: datetime) -> Period:
    owner = {"organization": endpoint.organization_id, "endpoint": endpoint.id}
    with connection.cursor() as cursor:
        cursor.execute(PERIOD, {**owner, "since": since, "most": MAX_READ})
        counted, attempts, succeeded, half, most = cursor.fetchone()
    deliveries = {one.value: (counted or {}).get(one.value, 0) for one in DeliveryStatus}
    succeeded_deliveries = deliveries[DeliveryStatus.SUCCEEDED]
    ended = sum(deliveries[status] for status in ENDED)
    return Period(
        deliveries=deliveries,
        is_sample=sum(deliveries.values()) == MAX_READ,
        success_rate=round(succeeded_deliveries / ended, 4) if ended else None,
        attempts=attempts,
        attempts_succeeded=succeeded,
        duration_ms_p50=half,
        duration_ms_p95=most,
    )
