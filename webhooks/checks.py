"""System checks of the settings of webhooks."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

MAX_DEADLINE_SECONDS = 60.0
POSITIVE_SETTINGS = (
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
    """Times and limits must be positive."""
    return [
        Error(f"{name} must be above zero.", hint=f"Correct or unset {name}.", id="webhooks.E001")
        for name in POSITIVE_SETTINGS
        if getattr(settings, name) <= 0
    ]


@register()
def check_schedule(**_kwargs: Any) -> list[CheckMessage]:
    """Pauses between attempts must not be negative; an empty schedule means one attempt."""
    if all(seconds >= 0 for seconds in settings.WEBHOOK_RETRY_SCHEDULE):
        return []
    hint = "WEBHOOK_RETRY_SCHEDULE is seconds between attempts, for example 5,300,1800."
    return [Error("A pause between attempts is negative.", hint=hint, id="webhooks.E002")]


@register()
def check_deadline(**_kwargs: Any) -> list[CheckMessage]:
    """The deadline of an attempt must fit into the time limit of a sender."""
    if settings.WEBHOOK_DEADLINE_SECONDS <= MAX_DEADLINE_SECONDS:
        return []
    hint = f"Set WEBHOOK_DEADLINE_SECONDS to at most {MAX_DEADLINE_SECONDS:g}."
    return [Error("An attempt may take too long.", hint=hint, id="webhooks.E003")]
