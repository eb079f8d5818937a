"""An event gets a delivery per subscribed endpoint, once, and none causes the next."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import orjson
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from core.accounts.models import Organization
from core.events import services as events
from core.events.models import Event
from meetings.events import MEETING_CREATED
from tests import make
from webhooks.events import DELIVERY_EXHAUSTED, ENDPOINT_DISABLED, ENDPOINT_TEST
from webhooks.models import Delivery, DisabledReason
from webhooks.services import deliveries, endpoints

pytestmark = pytest.mark.django_db

MEETING = {"meeting_id": "01a20120-2c33-720d-813f-2661fc926788", "revision": 1}


def publish(organization: Organization, kind: Any = MEETING_CREATED, **data: Any) -> Event:
    with transaction.atomic():
        return events.publish(kind, organization_id=organization.id, data=data or MEETING)


def owed(event: Event) -> set[str]:
    events.fan_out()
    return {str(one.endpoint_id) for one in Delivery.objects.filter(event=event)}


def test_event_creates_a_delivery_per_subscribed_endpoint_of_its_organization() -> None:
    organization = make.organization()
    hearing = [
        make.endpoint(organization=organization, event_types=types)
        for types in (["*"], ["meeting.*"], ["export.failed", "meeting.created"])
    ]
    make.endpoint(organization=organization, event_types=["meeting.updated", "export.*"])
    off = make.endpoint(organization=organization)
    endpoints.disable_endpoint(endpoint=off, reason=DisabledReason.BY_HAND)
    make.endpoint()

    assert owed(publish(organization)) == {str(one.id) for one in hearing}


def test_all_deliveries_of_an_event_have_the_same_body() -> None:
    organization = make.organization()
    for _ in range(2):
        make.endpoint(organization=organization)
    event = publish(organization)
    events.fan_out()

    first, second = Delivery.objects.all()

    assert first.body == second.body
    assert first.event_type == "meeting.created"
    assert first.next_attempt_at is not None
    assert orjson.loads(first.body) == {
        "type": "meeting.created",
        "timestamp": event.occurred_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "data": MEETING,
    }


def test_event_fanned_out_twice_creates_one_delivery() -> None:
    endpoint = make.endpoint()
    event = publish(endpoint.organization)
    for _ in range(2):
        with transaction.atomic():
            assert deliveries.create_deliveries(events=[event]) == 1

    assert Delivery.objects.count() == 1


def test_test_event_is_sent_to_its_endpoint_only() -> None:
    organization = make.organization()
    tried = make.endpoint(organization=organization, event_types=["export.failed"])
    make.endpoint(organization=organization)

    event = publish(organization, ENDPOINT_TEST, endpoint_id=str(tried.id))

    assert owed(event) == {str(tried.id)}


@pytest.mark.parametrize("kind", [ENDPOINT_DISABLED, DELIVERY_EXHAUSTED], ids=lambda one: one.name)
def test_event_about_an_endpoint_is_sent_to_the_others(kind: Any) -> None:
    organization = make.organization()
    about = make.endpoint(organization=organization)
    other = make.endpoint(organization=organization)
    make.endpoint(organization=organization, event_types=["export.*"])

    event = publish(organization, kind, **{**kind.example, "endpoint_id": str(about.id)})

    assert owed(event) == {str(other.id)}


def test_exhausted_delivery_publishes_an_event_unless_it_was_about_endpoints() -> None:
    endpoint = make.endpoint()
    lost = make.delivery(endpoint=endpoint, last_error_kind="status", last_status_code=503)
    news = publish(endpoint.organization, ENDPOINT_DISABLED, **ENDPOINT_DISABLED.example)
    of_news = make.delivery(endpoint=endpoint, event=news)
    with transaction.atomic():
        event = deliveries.publish_exhausted(delivery=lost)
        assert deliveries.publish_exhausted(delivery=of_news) is None

    assert event is not None
    assert event.data == {
        "delivery_id": str(lost.id),
        "endpoint_id": str(endpoint.id),
        "event_id": str(lost.event_id),
        "event_type": "meeting.created",
        "error_kind": "status",
        "status_code": 503,
    }


def test_an_organization_without_endpoints_costs_one_query() -> None:
    event = publish(make.organization())
    with transaction.atomic(), CaptureQueriesContext(connection) as captured:
        deliveries.create_deliveries(events=[event])

    assert len(captured) == 1
