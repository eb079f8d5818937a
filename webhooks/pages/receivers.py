"""The page for those who write a receiver: all they need, from what the code itself says."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from webhooks.queries import catalogue
from webhooks.queries.deliveries import REPLAYABLE_FOR

# One file with its own style: it loads nothing, runs nothing, and is framed by nobody.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"


@require_safe
def receivers(request: HttpRequest) -> HttpResponse:
    """How to verify what we send, and how to send to us."""
    page = render(request, "webhooks/receivers.html", _facts())
    page["Content-Security-Policy"] = POLICY
    return page


def _facts() -> dict[str, Any]:
    return {
        "event_types": [
            {
                "name": kind.name,
                "description": kind.description,
                "example": json.dumps(catalogue.example_of(kind), indent=2, ensure_ascii=False),
            }
            for kind in catalogue.catalogue()
        ],
        "pauses": [spoken(seconds) for seconds in settings.WEBHOOK_RETRY_SCHEDULE],
        "attempts": len(settings.WEBHOOK_RETRY_SCHEDULE) + 1,
        "deadline": spoken(settings.WEBHOOK_DEADLINE_SECONDS),
        "overlap": spoken(settings.WEBHOOK_SECRET_OVERLAP_SECONDS),
        "disable_after": spoken(settings.ENDPOINT_DISABLE_AFTER_SECONDS),
        "replayable_days": REPLAYABLE_FOR.days,
        "history_days": settings.WEBHOOK_HISTORY_DAYS,
        "inbound_bytes": settings.INBOUND_MAX_BYTES,
        "public_url": settings.PUBLIC_URL,
    }


UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def spoken(seconds: float) -> str:
    """A length of time in the largest unit that makes it a whole number: 5 minutes."""
    for length, unit in UNITS:
        number, rest = divmod(seconds, length)
        if number >= 1 and not rest:
            return f"{number:.0f} {unit}{'' if number == 1 else 's'}"
    return f"{seconds:g} seconds"
