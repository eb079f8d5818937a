"""Sending along the path of production, and moving what waits to now."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.db import connection, transaction

from core.db.clock import database_now
from tests.run_jobs import run_jobs
from webhooks.delivery.retry_policy import RetryDecision
from webhooks.models import Delivery, DeliveryAttempt, Endpoint
from webhooks.services import sender_jobs
from webhooks.services.claiming import ClaimedDelivery
from webhooks.services.outcomes import Outcome


def send(*, slots: int = 1) -> None:
    """Let senders be asked for and work until nothing is due."""
    with transaction.atomic():
        for slot in range(slots):
            sender_jobs.request_sender(slot=slot)
    run_jobs()


def send_again(delivery: Delivery) -> DeliveryAttempt:
    """Make the delivery due, and its lane open, and send; the attempt that this came to."""
    Delivery.objects.filter(id=delivery.id, status="queued").update(next_attempt_at=database_now())
    Endpoint.objects.filter(id=delivery.endpoint_id).update(paused_until=None)
    return sent(delivery)


def sent(delivery: Delivery) -> DeliveryAttempt:
    """Send what is due; the delivery is read again, and its last attempt returned."""
    send()
    delivery.refresh_from_db()
    attempt: DeliveryAttempt = delivery.attempts.order_by("-number")[0]
    return attempt


def seconds_until(moment: Any) -> float:
    """From the database's clock."""
    return float((moment - database_now()).total_seconds())


SUCCESS = RetryDecision("succeeded")


def outcome(one: ClaimedDelivery, decision: RetryDecision = SUCCESS) -> Outcome:
    """What a sender that holds it would write."""
    return Outcome(one.id, one.token, one.endpoint_id, one.url, decision, one.claimed_at, 5, 200)


INSERT_DELIVERIES = """
WITH event AS (
    INSERT INTO core_event (id, created_at, updated_at, organization_id, type, version,
        request_id, occurred_at, data, finished, tries, last_error, fanned_out_at)
    SELECT gen_random_uuid(), at, at, %(organization)s, 'meeting.created', 1, '', at,
           '{}', '[]', 1, '', at
      FROM (SELECT clock_timestamp() AS at FROM generate_series(1, %(many)s)) AS moment
    RETURNING id, occurred_at
)
INSERT INTO webhooks_delivery (id, created_at, updated_at, organization_id, event_id, endpoint_id,
    event_type, body, status, attempt_count, next_attempt_at, lease_token, last_error_kind)
SELECT gen_random_uuid(), occurred_at, occurred_at, %(organization)s, id, %(endpoint)s,
       'meeting.created', %(body)s, 'queued', 0, occurred_at, 0, ''
  FROM event
"""


def create_waiting_deliveries(endpoint: Endpoint, many: int, *, body: str = "{}") -> None:
    """So many deliveries to the endpoint, due now, each of an event of its own."""
    values = {"organization": endpoint.organization_id, "endpoint": endpoint.id}
    with connection.cursor() as cursor:
        cursor.execute(INSERT_DELIVERIES, {**values, "many": many, "body": body})


def blocks_of(statement: str, values: dict[str, Any]) -> int:
    """Blocks, read or found in memory, that a statement touches; what it writes is undone."""
    plan = _plan_of(statement, values)
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def indexes_of(statement: str, values: Any) -> set[str]:
    """The indexes by which a statement comes to deliveries; "all of them" stands for none."""
    return set(_ways(_plan_of(statement, values)))


def _ways(node: dict[str, Any]) -> Iterator[str]:
    if node.get("Index Name", "").startswith("delivery_"):
        yield node["Index Name"]
    elif node.get("Relation Name") == "webhooks_delivery" and node["Node Type"] == "Seq Scan":
        yield "all of them"
    for child in node.get("Plans", []):
        yield from _ways(child)


def _plan_of(statement: str, values: Any) -> dict[str, Any]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", values)
        answer = cursor.fetchone()[0]
        transaction.set_rollback(True)
    plan: dict[str, Any] = (json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]
    return plan
