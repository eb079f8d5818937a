"""Writing down what came of attempts: many at once, and nothing in another sender's name."""

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
from webhooks.delivery.retry_policy import Verdict
from webhooks.models import Delivery, DisabledReason, Endpoint
from webhooks.services import claiming, deliveries, endpoints

log = structlog.get_logger(__name__)

FEWEST_FAILURES = 10  # in a row, before days of nothing but failures disable an endpoint
MOST_LOST = 200  # lapsed leases that one transaction takes up

WRITE = """
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
LOCK = """
SELECT id, url FROM webhooks_endpoint WHERE id = ANY(%s) FOR NO KEY UPDATE SKIP LOCKED
"""
# `succeeded` says that one did, `failures` how many came after the last of those.
MOVE_LANES = """
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
LOST = """
SELECT id, lease_token, endpoint_id, attempt_count,
       EXTRACT(epoch FROM lease_until)::float8 - %(hold)s::float8
  FROM webhooks_delivery
 WHERE status = 'running' AND lease_until < statement_timestamp()
 ORDER BY lease_until LIMIT %(most)s FOR NO KEY UPDATE SKIP LOCKED
"""


class News(Enum):
    """Whether an endpoint's row must hear of an attempt."""

    FRESH = auto()  # it must
    STALE = auto()  # a success among successes: only together with others, for the order's sake
    NONE = auto()  # it says nothing about the receiver


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt and what follows from it. `began_at` is epoch seconds by the database's clock.

    `url` is where it was sent: an endpoint that has another one by now does not hear of it. What no
    longer `may_wait` for its endpoint is written without it.
    """

    delivery_id: uuid.UUID
    token: int
    endpoint_id: uuid.UUID
    url: str
    verdict: Verdict
    began_at: float
    duration_ms: int
    status_code: int | None = None
    address: str | None = None
    excerpt: str = ""
    news: News = News.FRESH
    may_wait: bool = True

    @property
    def key(self) -> tuple[uuid.UUID, int]:
        """The hold under which it was made."""
        return self.delivery_id, self.token


@dataclass(frozen=True, slots=True)
class Written:
    """How many outcomes were ours to write, and which ones were left for the next time."""

    ours: int = 0
    left: tuple[Outcome, ...] = ()


def write(outcomes: Sequence[Outcome]) -> Written:
    """Record the attempts and move their deliveries and lanes, all at once.

    `outcomes` are in the order in which they ended. Never waits for a row: what concerns a delivery
    or an endpoint that somebody else holds is left. An outcome of a delivery that another sender
    took over meanwhile is not written, nor is one that the database refuses.
    """
    if not outcomes:
        return Written()
    try:
        return _write_together(outcomes)
    except (DataError, IntegrityError):
        if len(outcomes) > 1:
            return _write_singly(outcomes)
        delivery_id = str(outcomes[0].delivery_id)
        log.exception("webhook.outcome_refused", delivery_id=delivery_id)
        return Written()


def _write_singly(outcomes: Sequence[Outcome]) -> Written:
    """So that one which the database refuses keeps no other from being written."""
    written = [write([one]) for one in outcomes]
    left = tuple(outcome for one in written for outcome in one.left)
    return Written(sum(one.ours for one in written), left)


def _write_together(outcomes: Sequence[Outcome]) -> Written:
    with transaction.atomic():
        speaking = {one.endpoint_id for one in outcomes if one.news is News.FRESH}
        urls = _lock(speaking)
        away = speaking - set(urls)
        ready = [one for one in outcomes if one.endpoint_id not in away or not _waits(one)]
        written = _write(ready)
        kept = [one for one in ready if one.key in written]
        heard = [
            one
            for one in kept
            if one.news is not News.NONE and urls.get(one.endpoint_id) == one.url
        ]
        _move_lanes(heard)
        _disable_gone(heard)
        _tell_exhausted(kept)
        done = _done(ready, written)
    return Written(len(written), tuple(one for one in outcomes if one.key not in done))


def _waits(outcome: Outcome) -> bool:
    return outcome.may_wait and outcome.news is not News.NONE


def _done(
    outcomes: Sequence[Outcome], written: set[tuple[uuid.UUID, int]]
) -> set[tuple[uuid.UUID, int]]:
    """Those that need no other try: written, or of a delivery that is no longer the sender's."""
    unwritten = [one for one in outcomes if one.key not in written]
    if not unwritten:
        return written
    values: dict[str, Any] = {
        "ids": [one.delivery_id for one in unwritten],
        "tokens": [one.token for one in unwritten],
    }
    with connection.cursor() as cursor:
        cursor.execute(STILL_HELD, values)
        held = {(delivery_id, token) for delivery_id, token in cursor.fetchall()}
    lost = {one.key for one in unwritten} - held
    if lost:
        log.warning("webhook.outcomes_of_others", count=len(lost))
    return written | lost


def recover_lost() -> int:
    """Queue again what a sender held past its time; how many. The relay's sweep.

    The lost attempt counts, so that a delivery which ends its senders does not live for ever.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(LOST, {"hold": claiming.hold_seconds(), "most": MOST_LOST})
            outcomes = [_lost(*row) for row in cursor.fetchall()]
        return write(outcomes).ours


def _lost(
    delivery_id: uuid.UUID, token: int, endpoint_id: uuid.UUID, attempts: int, began_at: float
) -> Outcome:
    is_last = attempts >= len(settings.WEBHOOK_RETRY_SCHEDULE)
    status = retry_policy.DEAD if is_last else retry_policy.QUEUED
    verdict = Verdict(status, retry_policy.IS_LOST)
    return Outcome(delivery_id, token, endpoint_id, "", verdict, began_at, 0, news=News.NONE)


def _lock(endpoint_ids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The addresses of those endpoints that nobody else holds, now locked."""
    if not endpoint_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [list(endpoint_ids)])
        return dict(cursor.fetchall())


def _write(outcomes: Sequence[Outcome]) -> set[tuple[uuid.UUID, int]]:
    if not outcomes:
        return set()
    values: dict[str, list[Any]] = {
        "ids": [one.delivery_id for one in outcomes],
        "tokens": [one.token for one in outcomes],
        "attempt_ids": [new_id() for _ in outcomes],
        "statuses": [one.verdict.status for one in outcomes],
        "delays": [one.verdict.delay_seconds for one in outcomes],
        "codes": [one.status_code for one in outcomes],
        "kinds": [one.verdict.error_kind for one in outcomes],
        "began": [one.began_at for one in outcomes],
        "durations": [one.duration_ms for one in outcomes],
        "addresses": [one.address for one in outcomes],
        "excerpts": [one.excerpt for one in outcomes],
    }
    with connection.cursor() as cursor:
        cursor.execute(WRITE, values)
        return {(delivery_id, token) for delivery_id, token in cursor.fetchall()}


@dataclass(slots=True)
class _Lane:
    """What a batch says of one endpoint, in the order in which its attempts ended."""

    succeeded: bool = False
    failures: int = 0
    pause: float = 0.0

    def hear(self, verdict: Verdict) -> None:
        if verdict.status == retry_policy.SUCCEEDED:
            self.succeeded, self.failures = True, 0
        else:
            self.failures += 1
            self.pause = max(self.pause, verdict.pause_seconds)


def _move_lanes(outcomes: Sequence[Outcome]) -> None:
    lanes_by_id: dict[uuid.UUID, _Lane] = {}
    for one in outcomes:
        lanes_by_id.setdefault(one.endpoint_id, _Lane()).hear(one.verdict)
    if not lanes_by_id:
        return
    values = {
        "ids": list(lanes_by_id),
        "succeeded": [lane.succeeded for lane in lanes_by_id.values()],
        "failures": [lane.failures for lane in lanes_by_id.values()],
        "pauses": [lane.pause for lane in lanes_by_id.values()],
        "breaker": settings.WEBHOOK_BREAKER_FAILURES,
        "open": settings.WEBHOOK_BREAKER_SECONDS,
        "fewest": FEWEST_FAILURES,
        "days": settings.ENDPOINT_DISABLE_AFTER_SECONDS,
    }
    with connection.cursor() as cursor:
        cursor.execute(MOVE_LANES, values)
        hopeless = {row[0] for row in cursor.fetchall() if row[1]}
    _disable(hopeless, DisabledReason.FAILING)


def _disable_gone(outcomes: Sequence[Outcome]) -> None:
    gone = {one.endpoint_id for one in outcomes if one.verdict.error_kind == retry_policy.IS_GONE}
    _disable(gone, DisabledReason.GONE)


def _disable(endpoint_ids: set[uuid.UUID], reason: DisabledReason) -> None:
    """One that was deleted while it was being sent to is disabled already."""
    chosen = Endpoint.objects.present().filter(id__in=endpoint_ids)
    for endpoint in chosen if endpoint_ids else ():
        endpoints.disable_endpoint(endpoint=endpoint, reason=reason)


def _tell_exhausted(outcomes: Sequence[Outcome]) -> None:
    dead = [one.delivery_id for one in outcomes if one.verdict.status == retry_policy.DEAD]
    chosen = Delivery.objects.filter(id__in=dead, endpoint__deleted_at=None).defer("body")
    for delivery in chosen if dead else ():
        deliveries.tell_exhausted(delivery=delivery)
