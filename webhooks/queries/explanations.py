"""What has become of a delivery and how an endpoint is, in sentences that need no manual."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from webhooks.delivery.sentences import sentence_for
from webhooks.models import Delivery, DeliveryAttempt, DeliveryStatus, DisabledReason, Endpoint

WHY_DISABLED = {
    DisabledReason.BY_HAND: "Disabled by somebody: nothing is sent until it is enabled again.",
    DisabledReason.GONE: "Disabled, because the receiver answered 410: gone for good.",
    DisabledReason.FAILING: "Disabled, because nothing but failures came back for days.",
}
DELETED = "Deleted: its last rows are being removed."
FAILING = "Failing: nothing has succeeded since {since}."
PAUSED = "Paused until {until}, because it failed several times in a row or asked for it."


def of_attempt(attempt: DeliveryAttempt) -> str:
    """What happened in an attempt."""
    return _sentence(attempt.error_kind, attempt.status_code)


def of_delivery(delivery: Delivery) -> str:
    """How far a delivery is, why, and what comes next. Needs `endpoint`."""
    last = _last(delivery)
    match DeliveryStatus(delivery.status):
        case DeliveryStatus.SUCCEEDED:
            return f"Delivered. {last}"
        case DeliveryStatus.FAILED:
            return f"Given up at once. {last}"
        case DeliveryStatus.DEAD:
            return f"Tried {_times(delivery.attempt_count)} and given up. {last}"
        case DeliveryStatus.RUNNING:
            return "Is being sent."
    return f"{last} {_next(delivery)}".strip()


def of_endpoint(endpoint: Endpoint, *, now: datetime) -> str:
    """Whether events are sent to an endpoint and, if not, why not."""
    if endpoint.deleted_at is not None:
        return DELETED
    if endpoint.disabled_reason:
        return WHY_DISABLED[DisabledReason(endpoint.disabled_reason)]
    sentences = []
    if endpoint.failing_since is not None:
        sentences.append(FAILING.format(since=f"{endpoint.failing_since:%Y-%m-%d %H:%M} UTC"))
    if endpoint.paused_until is not None and endpoint.paused_until > now:
        sentences.append(PAUSED.format(until=f"{endpoint.paused_until:%Y-%m-%d %H:%M:%S} UTC"))
    return " ".join(sentences) or "Events are sent to it."


def _last(delivery: Delivery) -> str:
    """What its last attempt came to; empty before the first one."""
    if not delivery.last_error_kind and delivery.last_status_code is None:
        return ""
    return _sentence(delivery.last_error_kind, delivery.last_status_code)


def _sentence(error_kind: str, status_code: int | None) -> str:
    return sentence_for(error_kind, status_code, deadline_seconds=settings.WEBHOOK_DEADLINE_SECONDS)


def _next(delivery: Delivery) -> str:
    if not delivery.endpoint.is_enabled:
        return "Waits until its endpoint is enabled."
    if delivery.attempt_count == 0:
        return "Waits for its first attempt." if not _last(delivery) else "Is to be sent again."
    due = delivery.next_attempt_at
    when = f"next at {due:%Y-%m-%d %H:%M:%S} UTC" if due else "it will be tried again"
    return f"Tried {_times(delivery.attempt_count)} so far; {when}."


def _times(many: int) -> str:
    return {1: "once", 2: "twice"}.get(many, f"{many} times")
