"""The models of webhooks, one file per noun."""

from __future__ import annotations

from webhooks.models.attempt import DeliveryAttempt
from webhooks.models.delivery import Delivery, DeliveryQuerySet, DeliveryStatus
from webhooks.models.endpoint import DisabledReason, Endpoint
from webhooks.models.inbound_message import InboundMessage
from webhooks.models.inbound_source import InboundSource, Scheme
from webhooks.models.secret import EndpointSecret, SignatureScheme

__all__ = [
    "Delivery",
    "DeliveryAttempt",
    "DeliveryQuerySet",
    "DeliveryStatus",
    "DisabledReason",
    "Endpoint",
    "EndpointSecret",
    "InboundMessage",
    "InboundSource",
    "Scheme",
    "SignatureScheme",
]
