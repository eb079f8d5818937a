"""Claims due deliveries for a sender, fairly between endpoints and organizations.

A lane is the deliveries of one endpoint. One sender at a time claims, under an advisory lock, so
that the limits of a lane are exact for any number of senders: the statement begins after the lock
and sees the claims before it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection, transaction

# The lanes in which something is due, with their free room. Endpoints are found by hopping over the
# index of waiting deliveries from one endpoint to the next, so that ten thousand deliveries of one
# endpoint cost one hop; the ORDER BY is that of this index alone. A lane is narrow until an attempt
# has succeeded lately, and one wide after failures in a row.
LANES = """
WITH RECURSIVE waiting AS (
    (SELECT endpoint_id FROM webhooks_delivery WHERE status = 'queued'
      ORDER BY endpoint_id, next_attempt_at LIMIT 1)
    UNION ALL
    SELECT (SELECT delivery.endpoint_id FROM webhooks_delivery AS delivery
             WHERE delivery.status = 'queued' AND delivery.endpoint_id > waiting.endpoint_id
             ORDER BY delivery.endpoint_id, delivery.next_attempt_at LIMIT 1)
      FROM waiting WHERE waiting.endpoint_id IS NOT NULL
), busy AS (
    SELECT endpoint_id, count(*) AS running FROM webhooks_delivery
     WHERE status = 'running' GROUP BY endpoint_id
), busy_organization AS (
    SELECT organization_id, count(*) AS running FROM webhooks_delivery
     WHERE status = 'running' GROUP BY organization_id
), known AS (
    SELECT endpoint.id, endpoint.organization_id, COALESCE(busy.running, 0) AS running,
           CASE WHEN failures_in_a_row >= %(breaker)s THEN 1
                WHEN failures_in_a_row > 0 OR last_success_at IS NULL
                  OR last_success_at < statement_timestamp() - interval '1 hour' THEN %(first)s
                ELSE %(most)s END AS width,
           rate_limit_per_second IS NOT NULL AS is_limited,
           CASE WHEN rate_limit_per_second IS NULL THEN %(most)s
                ELSE 1 + floor(rate_limit_per_second * (%(burst)s - GREATEST(0,
                     EXTRACT(epoch FROM next_slot_at - statement_timestamp()))))::int
           END AS slots
      FROM waiting JOIN webhooks_endpoint AS endpoint ON endpoint.id = waiting.endpoint_id
      LEFT JOIN busy ON busy.endpoint_id = endpoint.id
     WHERE disabled_at IS NULL
       AND (paused_until IS NULL OR paused_until <= statement_timestamp())
), lane AS (
    SELECT known.id, known.organization_id, running, is_limited,
           LEAST(width - running, slots) AS room, due.since
      FROM known CROSS JOIN LATERAL (
           SELECT min(next_attempt_at) AS since FROM webhooks_delivery
            WHERE endpoint_id = known.id AND status = 'queued') AS due
     WHERE LEAST(width - running, slots) > 0 AND due.since <= statement_timestamp()
)
"""

# Organizations with the fewest running deliveries come first, and likewise their lanes. A part of
# the sender's room is reserved for lanes and organizations with little running. Ids are passed as
# arrays, for which the planner uses the index, never as joins with the whole table. Rows are locked
# with SKIP LOCKED before they are written, so that a sender never waits.
CLAIM = """
, counted AS (
    SELECT id FROM webhooks_endpoint
     WHERE id = ANY(ARRAY(SELECT id FROM lane WHERE is_limited))
       FOR NO KEY UPDATE SKIP LOCKED
), open_lane AS (
    SELECT lane.*, count(*) OVER () AS lanes FROM lane
     WHERE NOT is_limited OR id = ANY(ARRAY(SELECT id FROM counted))
), due AS (
    SELECT delivery.id, organization_id, next_attempt_at, running + row_number() OVER (
               PARTITION BY lane.id ORDER BY next_attempt_at, delivery.id) AS turn
      FROM open_lane AS lane
     CROSS JOIN LATERAL (
           SELECT id, next_attempt_at FROM webhooks_delivery
            WHERE endpoint_id = lane.id AND status = 'queued'
              AND next_attempt_at <= statement_timestamp()
            ORDER BY next_attempt_at
            LIMIT LEAST(lane.room, 1 + 4 * %(free)s / lanes)) AS delivery
), shared AS (
    SELECT due.*, COALESCE(running, 0) + row_number() OVER (
               PARTITION BY due.organization_id ORDER BY turn, next_attempt_at, id) AS share
      FROM due LEFT JOIN busy_organization USING (organization_id)
), chosen AS (
    SELECT id FROM (
        SELECT id, turn, share,
               row_number() OVER (ORDER BY share, turn, next_attempt_at, id) AS place FROM shared
    ) AS ordered
     WHERE place <= %(free)s
         - CASE WHEN turn > %(first)s OR share > 2 * %(first)s THEN %(kept)s ELSE 0 END
), held AS (
    SELECT id FROM webhooks_delivery
     WHERE id = ANY(ARRAY(SELECT id FROM chosen)) AND status = 'queued'
       FOR NO KEY UPDATE SKIP LOCKED
), taken AS (
    UPDATE webhooks_delivery AS delivery
       SET status = 'running', lease_token = lease_token + 1,
           lease_until = clock_timestamp() + make_interval(secs => %(hold)s),
           updated_at = clock_timestamp()
     WHERE id = ANY(ARRAY(SELECT id FROM held))
    RETURNING delivery.*
), spaced AS (
    UPDATE webhooks_endpoint AS endpoint
       SET next_slot_at = GREATEST(next_slot_at, statement_timestamp())
           + make_interval(secs => many.taken / rate_limit_per_second::float8)
      FROM (SELECT endpoint_id, count(*) AS taken FROM taken GROUP BY endpoint_id) AS many
     WHERE endpoint.id = many.endpoint_id AND rate_limit_per_second IS NOT NULL
)
SELECT taken.id, taken.lease_token, taken.event_id, taken.event_type, taken.body,
       taken.attempt_count, endpoint.id, endpoint.url,
       failures_in_a_row > 0 OR failing_since IS NOT NULL OR last_success_at IS NULL
       OR last_success_at < statement_timestamp() - interval '1 minute',
       EXTRACT(epoch FROM clock_timestamp())::float8
  FROM taken JOIN webhooks_endpoint AS endpoint ON endpoint.id = taken.endpoint_id
 ORDER BY taken.next_attempt_at, taken.id
"""
RELEASE = """
UPDATE webhooks_delivery AS delivery
   SET status = 'queued', lease_until = NULL, updated_at = clock_timestamp()
  FROM unnest(%(ids)s::uuid[], %(tokens)s::int[]) AS taken (id, token)
 WHERE delivery.id = taken.id AND lease_token = token AND status = 'running'
"""
WAITING_SINCE = "SELECT EXTRACT(epoch FROM statement_timestamp() - min(since))::float8 FROM lane"
LOCK_CLAIMING = "SELECT pg_try_advisory_xact_lock(hashtext('webhooks.lanes'))"

INITIAL_WIDTH = 8  # requests at once to an endpoint that has not answered well lately
RESERVED_SHARE = 4  # one in four places of a sender is reserved for narrow lanes
BURST_SECONDS = 0.1  # slots of a rate limit that may be used together


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A delivery leased to a sender until its outcome is recorded under `token`.

    With `must_record_success` a success must be recorded in the endpoint's row. `claimed_at` is
    epoch seconds by the database's clock.
    """

    id: uuid.UUID
    token: int
    event_id: uuid.UUID
    event_type: str
    body: str
    attempt_count: int
    endpoint_id: uuid.UUID
    url: str
    must_record_success: bool
    claimed_at: float

    @property
    def key(self) -> tuple[uuid.UUID, int]:
        """The lease: a sender that slept may hold two leases of the same delivery."""
        return self.id, self.token


def claim(*, free: int) -> list[ClaimedDelivery]:
    """Claim up to `free` due deliveries; none while another sender is claiming."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOCK_CLAIMING)
        if not cursor.fetchone()[0]:
            return []
        cursor.execute(LANES + CLAIM, {**limits(), "free": free})
        return [ClaimedDelivery(*row) for row in cursor.fetchall()]


def release(deliveries: Sequence[ClaimedDelivery]) -> None:
    """Queue claimed deliveries that were not sent again; this costs no attempt."""
    values: dict[str, list[Any]] = {
        "ids": [delivery.id for delivery in deliveries],
        "tokens": [delivery.token for delivery in deliveries],
    }
    with connection.cursor() as cursor:
        cursor.execute(RELEASE, values)


def seconds_waiting() -> float | None:
    """How long the first delivery that could be claimed now has been due; None without one."""
    with connection.cursor() as cursor:
        cursor.execute(LANES + WAITING_SINCE, limits())
        seconds: float | None = cursor.fetchone()[0]
    return seconds


def lease_seconds() -> float:
    """The length of a lease: the deadline of a request, and as long again for the rest."""
    return 2 * settings.WEBHOOK_DEADLINE_SECONDS + 2


def limits() -> dict[str, float]:
    """The parameters of `LANES` and `CLAIM`."""
    return {
        "breaker": settings.WEBHOOK_BREAKER_FAILURES,
        "first": min(INITIAL_WIDTH, settings.WEBHOOK_LANE_LIMIT),
        "most": settings.WEBHOOK_LANE_LIMIT,
        "burst": BURST_SECONDS,
        "hold": lease_seconds(),
        "kept": settings.WEBHOOK_IN_FLIGHT // RESERVED_SHARE,
    }
