"""Settings with which nothing would be sent, or not as promised."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

LONGEST_DEADLINE_SECONDS = 60.0
ABOVE_ZERO = (
    "ENDPOINT_DISABLE_AFTER_SECONDS",
    "INBOUND_MAX_BYTES",
    "INBOUND_MESSAGES_PER_MINUTE",
    "WEBHOOK_BREAKER_FAILURES",
    "WEBHOOK_BREAKER_SECONDS",
    "WEBHOOK_DEADLINE_SECONDS",
    "WEBHOOK_HISTORY_DAYS",
    "WEBHOOK_IN_FLIGHT",
    "WEBHOOK_LANE_LIMIT",
    "WEBHOOK_SENDERS",
)


@register()
def check_numbers(**_kwargs: Any) -> list[CheckMessage]:
    """Times and limits that must be above nothing."""
    return [
        Error(f"{name} must be above zero.", hint=f"Correct or unset {name}.", id="webhooks.E001")
        for name in ABOVE_ZERO
        if getattr(settings, name) <= 0
    ]


@register()
def check_schedule(**_kwargs: Any) -> list[CheckMessage]:
    """An empty schedule is one attempt; a pause of less than nothing is a mistake."""
    if all(seconds >= 0 for seconds in settings.WEBHOOK_RETRY_SCHEDULE):
        return []
    hint = "WEBHOOK_RETRY_SCHEDULE is seconds between attempts, for example 5,300,1800."
    return [Error("A pause between attempts is negative.", hint=hint, id="webhooks.E002")]


@register()
def check_deadline(**_kwargs: Any) -> list[CheckMessage]:
    """A sender's turn must outlive the exchanges that it begins."""
    if settings.WEBHOOK_DEADLINE_SECONDS <= LONGEST_DEADLINE_SECONDS:
        return []
    hint = f"Set WEBHOOK_DEADLINE_SECONDS to at most {LONGEST_DEADLINE_SECONDS:g}."
    return [Error("An attempt may take too long.", hint=hint, id="webhooks.E003")]
