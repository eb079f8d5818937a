"""A long log of deliveries, and what a page of it takes to read: for a test and the bench."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from core.accounts.models import Organization
from tests import make
from webhooks.models import Endpoint

ADDRESS = "/api/v1/webhooks/deliveries/"
ENDPOINTS = 10
AT_ONCE = 2_000  # events in one statement

# Of a hundred deliveries 96 succeeded, but none of `export.failed`, and none to the last endpoint.
FILL = """
WITH event AS (
    INSERT INTO core_event (id, created_at, updated_at, type, version, organization_id, request_id,
                            occurred_at, data, finished, tries, last_error, fanned_out_at)
    SELECT gen_random_uuid(), moment, moment,
           (ARRAY['meeting.created', 'meeting.updated', 'transcript.completed',
                  'analysis.completed', 'export.completed', 'export.failed'])[1 + number %% 6],
           1, %(organization)s, '', moment, '{}', '[]', 1, '', moment
      FROM (SELECT number, now() - make_interval(secs => number) AS moment
              FROM generate_series(%(first)s::int, %(last)s::int) AS number) AS numbered
    RETURNING id, type, created_at
)
INSERT INTO webhooks_delivery (id, created_at, updated_at, organization_id, event_id, endpoint_id,
    event_type, body, status, attempt_count, lease_token, last_error_kind, last_status_code,
    ended_at)
SELECT gen_random_uuid(), event.created_at, event.created_at, %(organization)s, event.id, endpoint,
       event.type, repeat('x', 200),
       CASE WHEN event.type = 'export.failed' OR place = %(endpoints)s OR random() < 0.02
            THEN 'dead' WHEN random() < 0.02 THEN 'failed' ELSE 'succeeded' END,
       1, 1, '', 200, event.created_at
  FROM event CROSS JOIN unnest(%(ids)s::uuid[]) WITH ORDINALITY AS listed (endpoint, place)
"""


def fill(organization: Organization, *, deliveries: int) -> list[Endpoint]:
    """Write so many deliveries to ten endpoints; the last of them has never succeeded."""
    endpoints = [make.endpoint(organization=organization) for _ in range(ENDPOINTS)]
    events = deliveries // ENDPOINTS
    values: dict[str, Any] = {
        "organization": organization.id,
        "endpoints": ENDPOINTS,
        "ids": [one.id for one in endpoints],
    }
    with connection.cursor() as cursor:
        for first in range(1, events + 1, AT_ONCE):
            last = min(first + AT_ONCE - 1, events)
            cursor.execute(FILL, {**values, "first": first, "last": last})
        cursor.execute("ANALYZE webhooks_delivery")
    return endpoints


def searches(endpoints: list[Endpoint]) -> Iterator[dict[str, str]]:
    """Every choice of filters, among them those that nothing or little fits."""
    statuses = ("", "succeeded", "dead")
    types = ("", "meeting.created", "export.failed")
    owners = ("", str(endpoints[0].id), str(endpoints[-1].id))
    for status, event_type, endpoint in product(statuses, types, owners):
        chosen = {"status": status, "event_type": event_type, "endpoint": endpoint}
        yield {name: value for name, value in chosen.items() if value}


def blocks_read(client: APIClient, query: dict[str, str]) -> int:
    """How many blocks of 8 KB the page of a search touches, in memory or on disk."""
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(ADDRESS, query)
    assert answer.status_code == 200, answer.content
    (page,) = [one["sql"] for one in captured if 'FROM "webhooks_delivery"' in one["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {page}".replace("%", "%%"))
        plan: Any = cursor.fetchone()[0]
    top = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    return int(top["Shared Hit Blocks"]) + int(top["Shared Read Blocks"])
