"""Webhooks as staff see them: Django finds this package, and this package its files."""

from __future__ import annotations

from webhooks.admin import attempt, delivery, endpoint, inbound

__all__ = ["attempt", "delivery", "endpoint", "inbound"]
