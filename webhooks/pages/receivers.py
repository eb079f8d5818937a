"""The documentation page for receivers and senders; its facts come from the code."""

from __future__ import annotations

import json

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from webhooks.queries import catalogue, explanations
from webhooks.queries.deliveries import REPLAYABLE_FOR

# One file with its own style: it loads nothing, runs nothing, and cannot be framed.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"


@require_safe
def receivers(request: HttpRequest) -> HttpResponse:
    """How to verify what we send, and how to send to us."""
    event_types = [
        {
            "name": kind.name,
            "description": kind.description,
            "example": json.dumps(catalogue.example_of(kind), indent=2, ensure_ascii=False),
        }
        for kind in catalogue.catalogue()
    ]
    context = {
        "event_types": event_types,
        "error_kinds": explanations.error_kinds(),
        "pauses": [duration(seconds) for seconds in settings.WEBHOOK_RETRY_SCHEDULE],
        "attempts": len(settings.WEBHOOK_RETRY_SCHEDULE) + 1,
        "deadline": duration(settings.WEBHOOK_DEADLINE_SECONDS),
        "overlap": duration(settings.WEBHOOK_SECRET_OVERLAP_SECONDS),
        "disable_after": duration(settings.ENDPOINT_DISABLE_AFTER_SECONDS),
        "replayable_days": REPLAYABLE_FOR.days,
        "history_days": settings.WEBHOOK_HISTORY_DAYS,
        "inbound_bytes": settings.INBOUND_MAX_BYTES,
        "public_url": settings.PUBLIC_URL,
    }
    page = render(request, "webhooks/receivers.html", context)
    page["Content-Security-Policy"] = POLICY
    return page


UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def duration(seconds: float) -> str:
    """A duration in the largest unit that makes it a whole number: 5 minutes."""
    for length, unit in UNITS:
        number, rest = divmod(seconds, length)
        if number >= 1 and not rest:
            return f"{number:.0f} {unit}{'' if number == 1 else 's'}"
    return f"{seconds:g} seconds"
