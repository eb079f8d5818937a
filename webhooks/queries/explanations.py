"""What has become of a delivery and how an endpoint is, in sentences that need no manual."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from webhooks.delivery.error_messages import sentence_for
from webhooks.delivery.retry_policy import IS_GIVEN_UP
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


def of_delivery(delivery: Delivery, *, now: datetime) -> str:
    """How far a delivery is, why, and what comes next. Needs `endpoint`."""
    last = _last(delivery)
    match DeliveryStatus(delivery.status):
        case DeliveryStatus.SUCCEEDED:
            return f"Delivered. {last}"
        case DeliveryStatus.FAILED:
            return f"Given up at once. {last}"
        case DeliveryStatus.DEAD:
            if delivery.last_error_kind == IS_GIVEN_UP:
                return last
            return f"Tried {_times(delivery.attempt_count)} and given up. {last}"
        case DeliveryStatus.RUNNING:
            return "Is being sent."
    tried = f"Tried {_times(delivery.attempt_count)} so far." if delivery.attempt_count else ""
    return " ".join(filter(None, (last, tried, _next(delivery, now))))


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


def _next(delivery: Delivery, now: datetime) -> str:
    """When the next attempt follows, and what it waits for."""
    endpoint, due = delivery.endpoint, delivery.earliest_attempt_at
    attempt = "next" if delivery.last_error_kind or delivery.last_status_code else "first"
    if not endpoint.is_enabled:
        return f"Waits for its {attempt} attempt until its endpoint is enabled."
    if due is not None and due > now:
        paused = " because its endpoint is paused" if due == endpoint.paused_until else ""
        return f"Waits for its {attempt} attempt until {due:%Y-%m-%d %H:%M:%S} UTC{paused}."
    if endpoint.rate_limit_per_second and endpoint.next_slot_at and endpoint.next_slot_at > now:
        limit = endpoint.rate_limit_per_second
        return f"Waits for its {attempt} attempt: its endpoint takes {limit} a second at most."
    return f"Its {attempt} attempt is due and waits for its turn."


def _times(many: int) -> str:
    return {1: "once", 2: "twice"}.get(many, f"{many} times")
