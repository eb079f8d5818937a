"""The event types of webhooks."""

from __future__ import annotations

from typing import TypedDict

from core.events.registry import declare

ID = "01a20120-2c33-720d-813f-2661fc926788"


class EndpointTest(TypedDict):
    endpoint_id: str


class EndpointDisabled(TypedDict):
    """`reason` is gone or failing; an endpoint disabled by a person causes no event."""

    endpoint_id: str
    reason: str


class DeliveryExhausted(TypedDict):
    """`event_id` and `event_type` of the delivery, and the result of its last attempt.

    `error_kind` is listed in webhooks/README.md; `status_code` is null without an answer.
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
    description="A test of an endpoint was requested. Sent to that endpoint alone.",
)
ENDPOINT_DISABLED = declare(
    "endpoint.disabled",
    data=EndpointDisabled,
    example={"endpoint_id": ID, "reason": "failing"},
    description="An endpoint is gone or failed for days and was disabled. Sent to the others.",
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

# Failed deliveries of these cause no further event, to avoid loops.
ABOUT_ENDPOINTS = frozenset(
    kind.name for kind in (ENDPOINT_TEST, ENDPOINT_DISABLED, DELIVERY_EXHAUSTED)
)


class InboundReceived(TypedDict):
    """A verified inbound message; of two states the one with the later `received_at` is valid.

    `source` is the name of the source; `type` and `object_id` are empty if the message has none.
    `inbound_message_id` is the row with the body.
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
    description="An inbound message was verified and stored.",
    public=False,  # forwarding messages from outside would make this server a relay
)
