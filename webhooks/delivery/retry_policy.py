"""Decides from an answer whether a delivery is done, is retried, or is given up."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

SUCCEEDED, QUEUED, FAILED, DEAD = "succeeded", "queued", "failed", "dead"
GONE, BUSY = 410, (429, 503)
JITTER = 0.2
MAX_WAIT_SECONDS = 24 * 3600.0

# Answers that are not a success; core/outbound names the reasons for no answer.
KIND_REDIRECT, KIND_GONE, KIND_STATUS = "redirect", "gone", "status"
# Failures of this installation, never held against the receiver.
KIND_SENDER_LOST, KIND_SENDER_FAILED, KIND_UNSIGNED = "sender_lost", "sender_failed", "unsigned"
# Without an attempt: an operator gave the delivery up.
KIND_GIVEN_UP = "given_up"
INTERNAL_KINDS = frozenset({KIND_SENDER_LOST, KIND_SENDER_FAILED, KIND_UNSIGNED})


@dataclass(frozen=True, slots=True)
class RetryDecision:
    """The next status of a delivery, the delay until its next attempt, and a pause of its lane."""

    status: str
    error_kind: str = ""
    delay_seconds: float = 0.0
    pause_seconds: float = 0.0


def decide(
    status_code: int | None,
    error_kind: str,
    retry_after: str,
    *,
    attempt: int,
    schedule: Sequence[float],
    now: datetime,
) -> RetryDecision:
    """Decide what follows from attempt number `attempt` (1 is the first) of a round.

    Only 2xx is success. Without an answer `status_code` is None and `error_kind` says why.
    `retry_after` is the text of that header (RFC 9110, 10.2.3), empty without one.
    """
    kind = error_kind or error_kind_of(status_code or 0)
    if not kind:
        return RetryDecision(SUCCEEDED)
    if kind == KIND_GONE:
        return RetryDecision(FAILED, kind)
    requested = retry_after_seconds(retry_after, now) if status_code else 0.0
    pause = requested if status_code in BUSY else 0.0
    if attempt > len(schedule):
        return RetryDecision(DEAD, kind, pause_seconds=pause)
    # Never shorter than the schedule: a receiver that always says "1" would use up its attempts.
    delay = max(requested, with_jitter(schedule[attempt - 1]))
    return RetryDecision(QUEUED, kind, delay, pause)


def error_kind_of(status_code: int) -> str:
    """The kind of error of an answer; empty for a success."""
    if 200 <= status_code < 300:
        return ""
    if status_code == GONE:
        return KIND_GONE
    return KIND_REDIRECT if 300 <= status_code < 400 else KIND_STATUS


def with_jitter(seconds: float) -> float:
    """Up to a fifth more or less, so that deliveries which failed together are spread."""
    return seconds * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - not a secret


def retry_after_seconds(retry_after: str, now: datetime) -> float:
    """A Retry-After header in seconds from `now`: at most a day, 0 if it cannot be read."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        seconds = float(text[:12])
    else:
        try:
            date = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return 0.0
        if date.tzinfo is None:
            date = date.replace(tzinfo=UTC)
        seconds = (date - now).total_seconds()
    return min(max(seconds, 0.0), MAX_WAIT_SECONDS)
