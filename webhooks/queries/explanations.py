"""The states of deliveries, attempts and endpoints in plain sentences."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from webhooks.delivery.error_messages import MESSAGES, message_for
from webhooks.delivery.retry_policy import KIND_GIVEN_UP, KIND_REDIRECT, KIND_STATUS
from webhooks.models import Delivery, DeliveryAttempt, DeliveryStatus, DisabledReason, Endpoint

WHY_DISABLED = {
    DisabledReason.BY_HAND: "Disabled by a person: nothing is sent until it is enabled again.",
    DisabledReason.GONE: "Disabled, because the receiver answered 410: gone for good.",
    DisabledReason.FAILING: "Disabled, because all attempts failed for days.",
}
DELETED = "Deleted: its last deliveries are being removed."
FAILING = "Failing: no attempt has succeeded since {since}."
PAUSED = "Paused until {until}, after several failures in a row or a Retry-After."


def of_attempt(attempt: DeliveryAttempt) -> str:
    """What happened in an attempt."""
    return _message(attempt.error_kind, attempt.status_code)


def error_kinds() -> list[tuple[str, str]]:
    """Every `error_kind` of an attempt with an example of its message."""
    example_status = {KIND_STATUS: 500, KIND_REDIRECT: 301}
    return [(str(kind), _message(kind, example_status.get(kind))) for kind in MESSAGES]


def of_delivery(delivery: Delivery, *, now: datetime) -> str:
    """The state of a delivery, the reason, and what follows. Reads `endpoint`."""
    last = ""  # before the first attempt
    if delivery.last_error_kind or delivery.last_status_code is not None:
        last = _message(delivery.last_error_kind, delivery.last_status_code)
    match DeliveryStatus(delivery.status):
        case DeliveryStatus.SUCCEEDED:
            return f"Delivered. {last}"
        case DeliveryStatus.FAILED:
            return f"Given up without another attempt. {last}"
        case DeliveryStatus.DEAD:
            if delivery.last_error_kind == KIND_GIVEN_UP:
                return last
            return f"Tried {_times(delivery.attempt_count)} and given up. {last}"
        case DeliveryStatus.RUNNING:
            return "Being sent."
    tried = f"Tried {_times(delivery.attempt_count)} so far." if delivery.attempt_count else ""
    return " ".join(filter(None, (last, tried, _next_attempt(delivery, now))))


def of_endpoint(endpoint: Endpoint, *, now: datetime) -> str:
    """Whether events are sent to an endpoint and, if not, why."""
    if endpoint.deleted_at is not None:
        return DELETED
    if endpoint.disabled_reason:
        return WHY_DISABLED[DisabledReason(endpoint.disabled_reason)]
    sentences = []
    if endpoint.failing_since is not None:
        sentences.append(FAILING.format(since=f"{endpoint.failing_since:%Y-%m-%d %H:%M} UTC"))
    if endpoint.paused_until is not None and endpoint.paused_until > now:
        sentences.append(PAUSED.format(until=f"{endpoint.paused_until:%Y-%m-%d %H:%M:%S} UTC"))
    return " ".join(sentences) or "Enabled: events are sent to it."


def _message(error_kind: str, status_code: int | None) -> str:
    return message_for(error_kind, status_code, deadline_seconds=settings.WEBHOOK_DEADLINE_SECONDS)


def _next_attempt(delivery: Delivery, now: datetime) -> str:
    """When the next attempt follows, or what it waits for."""
    endpoint, due = delivery.endpoint, delivery.earliest_attempt_at
    attempt = "next" if delivery.last_error_kind or delivery.last_status_code else "first"
    if not endpoint.is_enabled:
        return f"Waits for its {attempt} attempt until its endpoint is enabled."
    if due is not None and due > now:
        paused = " because its endpoint is paused" if due == endpoint.paused_until else ""
        return f"Waits for its {attempt} attempt until {due:%Y-%m-%d %H:%M:%S} UTC{paused}."
    if endpoint.rate_limit_per_second and endpoint.next_slot_at and endpoint.next_slot_at > now:
        limit = endpoint.rate_limit_per_second
        return (
            f"Waits for its {attempt} attempt: the rate limit of its endpoint is {limit} a second."
        )
    return f"The {attempt} attempt is due and will be sent shortly."


def _times(many: int) -> str:
    return {1: "once", 2: "twice"}.get(many, f"{many} times")
