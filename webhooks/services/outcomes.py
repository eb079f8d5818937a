"""Records the outcomes of attempts: many at once, each only under its sender's lease."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import structlog
from django.conf import settings
from django.db import DataError, IntegrityError, connection, transaction

from core.db.rows import new_id
from webhooks.delivery import retry_policy
from webhooks.delivery.retry_policy import RetryDecision
from webhooks.models import Delivery, DisabledReason, Endpoint
from webhooks.services import claiming, deliveries, endpoints

log = structlog.get_logger(__name__)

Lease = tuple[uuid.UUID, int]  # a delivery and its lease token

MIN_FAILURES = 10  # in a row, before an endpoint that fails for days is disabled
MAX_EXPIRED = 200  # expired leases handled by one transaction

WRITE_OUTCOMES = """
WITH outcome AS (
    SELECT * FROM unnest(%(ids)s::uuid[], %(tokens)s::int[], %(attempt_ids)s::uuid[],
        %(statuses)s::text[], %(delays)s::float8[], %(codes)s::int[], %(kinds)s::text[],
        %(began)s::float8[], %(durations)s::int[], %(addresses)s::inet[], %(excerpts)s::text[]
    ) AS outcome (id, token, attempt_id, status, delay, code, kind, began, duration, address,
                  excerpt)
), held AS (
    SELECT id FROM webhooks_delivery
     WHERE id = ANY(%(ids)s::uuid[]) AND status = 'running'
       FOR NO KEY UPDATE SKIP LOCKED
), moved AS (
    UPDATE webhooks_delivery AS delivery
       SET status = outcome.status, attempt_count = attempt_count + 1, lease_until = NULL,
           next_attempt_at = CASE WHEN outcome.status = 'queued'
               THEN clock_timestamp() + make_interval(secs => outcome.delay) END,
           ended_at = CASE WHEN outcome.status <> 'queued' THEN clock_timestamp() END,
           last_status_code = outcome.code, last_error_kind = outcome.kind,
           updated_at = clock_timestamp()
      FROM outcome
     WHERE delivery.id = outcome.id AND lease_token = outcome.token
       AND delivery.status = 'running' AND delivery.id = ANY(ARRAY(SELECT id FROM held))
    RETURNING delivery.id, lease_token AS token, organization_id
), attempt AS (
    INSERT INTO webhooks_deliveryattempt (id, created_at, updated_at, organization_id,
        delivery_id, number, started_at, duration_ms, status_code, error_kind, address, excerpt)
    SELECT attempt_id, clock_timestamp(), clock_timestamp(), moved.organization_id, moved.id,
           1 + COALESCE((SELECT max(number) FROM webhooks_deliveryattempt AS past
                          WHERE past.delivery_id = moved.id), 0),
           to_timestamp(began), duration, code, kind, address, excerpt
      FROM moved JOIN outcome USING (id, token)
)
SELECT id, token FROM moved
"""
STILL_HELD = """
SELECT delivery.id, lease_token
  FROM unnest(%(ids)s::uuid[], %(tokens)s::int[]) AS unwritten (id, token)
  JOIN webhooks_delivery AS delivery ON delivery.id = unwritten.id AND lease_token = token
 WHERE status = 'running'
"""
LOCK_ENDPOINTS = """
SELECT id, url FROM webhooks_endpoint WHERE id = ANY(%s) FOR NO KEY UPDATE SKIP LOCKED
"""
# `succeeded`: at least one attempt did; `failures`: those after the last success.
UPDATE_ENDPOINTS = """
UPDATE webhooks_endpoint AS endpoint
   SET failures_in_a_row = in_a_row,
       failing_since = CASE WHEN failures = 0 THEN NULL
           WHEN succeeded OR failing_since IS NULL THEN clock_timestamp()
           ELSE failing_since END,
       last_success_at = CASE WHEN succeeded THEN clock_timestamp() ELSE last_success_at END,
       paused_until = CASE
           WHEN pause > 0 OR in_a_row >= %(breaker)s THEN GREATEST(paused_until,
               clock_timestamp() + make_interval(secs => GREATEST(
                   pause, CASE WHEN in_a_row >= %(breaker)s THEN %(open)s ELSE 0 END)))
           WHEN succeeded AND failures_in_a_row >= %(breaker)s THEN NULL
           ELSE paused_until END
  FROM (SELECT lane.*, failures + CASE WHEN succeeded THEN 0 ELSE failures_in_a_row END AS in_a_row
          FROM unnest(%(ids)s::uuid[], %(succeeded)s::bool[], %(failures)s::int[],
                      %(pauses)s::float8[]) AS lane (id, succeeded, failures, pause)
          JOIN webhooks_endpoint AS held ON held.id = lane.id) AS lane
 WHERE endpoint.id = lane.id
RETURNING endpoint.id, failures_in_a_row >= %(fewest)s
      AND failing_since < clock_timestamp() - make_interval(secs => %(days)s)
"""
EXPIRED = """
SELECT id, lease_token, endpoint_id, attempt_count,
       EXTRACT(epoch FROM lease_until)::float8 - %(hold)s::float8
  FROM webhooks_delivery
 WHERE status = 'running' AND lease_until < statement_timestamp()
 ORDER BY lease_until LIMIT %(most)s FOR NO KEY UPDATE SKIP LOCKED
"""


class EndpointUpdate(Enum):
    """Whether an attempt must be recorded in its endpoint's row."""

    REQUIRED = auto()
    OPTIONAL = auto()  # a success after a success: recorded only together with others, in order
    NONE = auto()  # the attempt says nothing about the receiver


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt and the decision on it. `began_at` is epoch seconds by the database's clock.

    `url` is the address of the attempt; an endpoint with another address by now is not updated.
    Without `may_wait` the outcome is recorded even if its endpoint's row is locked.
    """

    delivery_id: uuid.UUID
    token: int
    endpoint_id: uuid.UUID
    url: str
    decision: RetryDecision
    began_at: float
    duration_ms: int
    status_code: int | None = None
    address: str | None = None
    excerpt: str = ""
    endpoint_update: EndpointUpdate = EndpointUpdate.REQUIRED
    may_wait: bool = True

    @property
    def key(self) -> Lease:
        """The lease under which the attempt was made."""
        return self.delivery_id, self.token


@dataclass(frozen=True, slots=True)
class WriteResult:
    """How many outcomes were recorded, and those to be tried again later."""

    recorded: int = 0
    deferred: tuple[Outcome, ...] = ()


def record_outcomes(outcomes: Sequence[Outcome]) -> WriteResult:
    """Record attempts and update their deliveries and endpoints, in one transaction.

    `outcomes` are in the order in which they ended. Outcomes whose rows are locked are deferred.
    Dropped are those whose delivery another sender has claimed, and those the database refuses.
    """
    if not outcomes:
        return WriteResult()
    try:
        return _record_batch(outcomes)
    except (DataError, IntegrityError):
        if len(outcomes) == 1:
            log.exception("webhook.outcome_refused", delivery_id=str(outcomes[0].delivery_id))
            return WriteResult()
    # One by one, so that a refused outcome does not keep the others from being recorded.
    results = [record_outcomes([outcome]) for outcome in outcomes]
    deferred = tuple(outcome for result in results for outcome in result.deferred)
    return WriteResult(sum(result.recorded for result in results), deferred)


def _record_batch(outcomes: Sequence[Outcome]) -> WriteResult:
    with transaction.atomic():
        to_update = {
            outcome.endpoint_id
            for outcome in outcomes
            if outcome.endpoint_update is EndpointUpdate.REQUIRED
        }
        urls = _lock_endpoints(to_update)
        unavailable = to_update - set(urls)
        ready = [
            outcome
            for outcome in outcomes
            if outcome.endpoint_id not in unavailable
            or outcome.endpoint_update is EndpointUpdate.NONE
            or not outcome.may_wait
        ]
        leases = _write_deliveries(ready)
        recorded = [outcome for outcome in ready if outcome.key in leases]
        about_endpoint = [
            outcome
            for outcome in recorded
            if outcome.endpoint_update is not EndpointUpdate.NONE
            and urls.get(outcome.endpoint_id) == outcome.url
        ]
        _update_endpoints(about_endpoint)
        _publish_exhausted(recorded)
        done = leases | _lost_leases([outcome for outcome in ready if outcome.key not in leases])
    return WriteResult(len(leases), tuple(one for one in outcomes if one.key not in done))


def _lost_leases(outcomes: Sequence[Outcome]) -> set[Lease]:
    """The leases of these outcomes that are no longer their sender's: they need no other try."""
    if not outcomes:
        return set()
    values: dict[str, list[Any]] = {
        "ids": [outcome.delivery_id for outcome in outcomes],
        "tokens": [outcome.token for outcome in outcomes],
    }
    with connection.cursor() as cursor:
        cursor.execute(STILL_HELD, values)
        held = {(delivery_id, token) for delivery_id, token in cursor.fetchall()}
    lost = {outcome.key for outcome in outcomes} - held
    if lost:
        log.warning("webhook.outcomes_of_others", count=len(lost))
    return lost


def requeue_expired() -> int:
    """Queue deliveries with an expired lease again and return their number. The relay's sweep."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(EXPIRED, {"hold": claiming.lease_seconds(), "most": MAX_EXPIRED})
            rows = cursor.fetchall()
        outcomes = []
        for delivery_id, token, endpoint_id, attempts, began_at in rows:
            # The lost attempt counts: a delivery that kills its senders must not live for ever.
            is_last = attempts >= len(settings.WEBHOOK_RETRY_SCHEDULE)
            status = retry_policy.DEAD if is_last else retry_policy.QUEUED
            outcomes.append(
                Outcome(
                    delivery_id,
                    token,
                    endpoint_id,
                    url="",
                    decision=RetryDecision(status, retry_policy.KIND_SENDER_LOST),
                    began_at=began_at,
                    duration_ms=0,
                    endpoint_update=EndpointUpdate.NONE,
                )
            )
        return record_outcomes(outcomes).recorded


def _lock_endpoints(endpoint_ids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The URLs of those endpoints that could be locked without waiting."""
    if not endpoint_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(LOCK_ENDPOINTS, [list(endpoint_ids)])
        return dict(cursor.fetchall())


def _write_deliveries(outcomes: Sequence[Outcome]) -> set[Lease]:
    """Write attempts and deliveries; the leases under which it was done."""
    if not outcomes:
        return set()
    values: dict[str, list[Any]] = {
        "ids": [outcome.delivery_id for outcome in outcomes],
        "tokens": [outcome.token for outcome in outcomes],
        "attempt_ids": [new_id() for _ in outcomes],
        "statuses": [outcome.decision.status for outcome in outcomes],
        "delays": [outcome.decision.delay_seconds for outcome in outcomes],
        "codes": [outcome.status_code for outcome in outcomes],
        "kinds": [outcome.decision.error_kind for outcome in outcomes],
        "began": [outcome.began_at for outcome in outcomes],
        "durations": [outcome.duration_ms for outcome in outcomes],
        "addresses": [outcome.address for outcome in outcomes],
        "excerpts": [outcome.excerpt for outcome in outcomes],
    }
    with connection.cursor() as cursor:
        cursor.execute(WRITE_OUTCOMES, values)
        return {(delivery_id, token) for delivery_id, token in cursor.fetchall()}


@dataclass(slots=True)
class _Lane:
    """The attempts of one endpoint in a batch, added in the order in which they ended."""

    succeeded: bool = False
    failures: int = 0
    pause: float = 0.0

    def add(self, decision: RetryDecision) -> None:
        if decision.status == retry_policy.SUCCEEDED:
            self.succeeded, self.failures = True, 0
        else:
            self.failures += 1
            self.pause = max(self.pause, decision.pause_seconds)


def _update_endpoints(outcomes: Sequence[Outcome]) -> None:
    """Count successes and failures, and disable endpoints that are gone or fail for days."""
    if not outcomes:
        return
    lanes: dict[uuid.UUID, _Lane] = {}
    for outcome in outcomes:
        lanes.setdefault(outcome.endpoint_id, _Lane()).add(outcome.decision)
    values = {
        "ids": list(lanes),
        "succeeded": [lane.succeeded for lane in lanes.values()],
        "failures": [lane.failures for lane in lanes.values()],
        "pauses": [lane.pause for lane in lanes.values()],
        "breaker": settings.WEBHOOK_BREAKER_FAILURES,
        "open": settings.WEBHOOK_BREAKER_SECONDS,
        "fewest": MIN_FAILURES,
        "days": settings.ENDPOINT_DISABLE_AFTER_SECONDS,
    }
    with connection.cursor() as cursor:
        cursor.execute(UPDATE_ENDPOINTS, values)
        failing = {endpoint_id for endpoint_id, is_hopeless in cursor.fetchall() if is_hopeless}
    gone = {
        outcome.endpoint_id
        for outcome in outcomes
        if outcome.decision.error_kind == retry_policy.KIND_GONE
    }
    _disable(failing, DisabledReason.FAILING)
    _disable(gone, DisabledReason.GONE)


def _disable(endpoint_ids: set[uuid.UUID], reason: DisabledReason) -> None:
    if not endpoint_ids:
        return
    # An endpoint that was deleted during the attempt is disabled already.
    for endpoint in Endpoint.objects.present().filter(id__in=endpoint_ids):
        endpoints.disable_endpoint(endpoint=endpoint, reason=reason)


def _publish_exhausted(outcomes: Sequence[Outcome]) -> None:
    dead = [one.delivery_id for one in outcomes if one.decision.status == retry_policy.DEAD]
    if not dead:
        return
    for delivery in Delivery.objects.filter(id__in=dead, endpoint__deleted_at=None).defer("body"):
        deliveries.publish_exhausted(delivery=delivery)
