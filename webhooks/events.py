"""What webhooks tell about themselves."""

from __future__ import annotations

from typing import TypedDict

from core.events.registry import declare

ID = "01a20120-2c33-720d-813f-2661fc926788"


class EndpointTest(TypedDict):
    endpoint_id: str


class EndpointDisabled(TypedDict):
    """`reason` is gone or failing: what a person switches off is not news to anybody."""

    endpoint_id: str
    reason: str


class DeliveryExhausted(TypedDict):
    """`event_id` and `event_type` name what was owed; the rest says how its last attempt ended.

    `error_kind` is one of those in webhooks/README.md, `status_code` null without an answer.
    """

    delivery_id: str
    endpoint_id: str
    event_id: str
    event_type: str
    error_kind: str
    status_code: int | None


ENDPOINT_TEST = declare(
    "endpoint.test",
    data=EndpointTest,
    example={"endpoint_id": ID},
    description="Somebody wants to see whether an endpoint works. Sent to that endpoint alone.",
)
ENDPOINT_DISABLED = declare(
    "endpoint.disabled",
    data=EndpointDisabled,
    example={"endpoint_id": ID, "reason": "failing"},
    description="Nothing is sent to an endpoint any more. Sent to the others.",
)
DELIVERY_EXHAUSTED = declare(
    "delivery.exhausted",
    data=DeliveryExhausted,
    example={
        "delivery_id": ID,
        "endpoint_id": ID,
        "event_id": ID,
        "event_type": "export.completed",
        "error_kind": "status",
        "status_code": 503,
    },
    description="An event could not be delivered to an endpoint. Sent to the others.",
)

# Their deliveries may fail without a word: news of news would never end.
ABOUT_ENDPOINTS = frozenset(
    kind.name for kind in (ENDPOINT_TEST, ENDPOINT_DISABLED, DELIVERY_EXHAUSTED)
)


class InboundReceived(TypedDict):
    """A verified message from outside; `received_at` tells which of two states is the newer.

    `source` is the name that people gave it; `type` and `object_id` are empty where the message
    says nothing of the kind. `inbound_message_id` is the row that keeps the body.
    """

    source_id: str
    source: str
    inbound_message_id: str
    message_id: str
    type: str
    object_id: str
    received_at: str


INBOUND_RECEIVED = declare(
    "inbound.received",
    data=InboundReceived,
    example={
        "source_id": ID,
        "source": "GitHub",
        "inbound_message_id": ID,
        "message_id": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "type": "issues",
        "object_id": "",
        "received_at": "2026-11-22T10:00:00+00:00",
    },
    description="A message from outside was verified and kept.",
    public=False,  # it came from outside: sending it on would be a relay for others
)
