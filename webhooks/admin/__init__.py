"""The staff pages of webhooks."""

from __future__ import annotations

from webhooks.admin import attempts, deliveries, endpoints, inbound_messages, inbound_sources

__all__ = ["attempts", "deliveries", "endpoints", "inbound_messages", "inbound_sources"]
