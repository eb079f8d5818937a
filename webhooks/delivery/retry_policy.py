"""What an answer means: done, again after a while, or never again."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

SUCCEEDED, QUEUED, FAILED, DEAD = "succeeded", "queued", "failed", "dead"
GONE, BUSY = 410, (429, 503)
JITTER = 0.2
LONGEST_WAIT_SECONDS = 24 * 3600.0

# What an answer is that is no success; core/outbound names the reasons why there was none.
IS_REDIRECT, IS_GONE, IS_STATUS = "redirect", "gone", "status"
# What is not the receiver's doing: a sender that vanished, failed, or had no secret to sign with.
IS_LOST, IS_OURS, IS_UNSIGNED = "sender_lost", "sender_failed", "unsigned"
# Not of an attempt: an operator decided that the delivery is not sent.
IS_GIVEN_UP = "given_up"
OUR_FAULTS = frozenset({IS_LOST, IS_OURS, IS_UNSIGNED})


@dataclass(frozen=True, slots=True)
class Verdict:
    """The next status of a delivery; seconds until its next attempt, and until the lane's next."""

    status: str
    error_kind: str = ""
    delay_seconds: float = 0.0
    pause_seconds: float = 0.0


def judge(
    status_code: int | None,
    error_kind: str,
    retry_after: str,
    *,
    attempt: int,
    schedule: Sequence[float],
    now: datetime,
) -> Verdict:
    """What follows from attempt number `attempt` (1 is the first) of a round.

    Only 2xx is success. `status_code` is None when there was no answer; `error_kind` then says why.
    `retry_after` is that header's text, empty without one (RFC 9110, 10.2.3): it can make the wait
    longer than the schedule's, up to a day, never shorter.
    """
    kind = error_kind or kind_of(status_code or 0)
    if not kind:
        return Verdict(SUCCEEDED)
    if kind == IS_GONE:
        return Verdict(FAILED, kind)
    wish = seconds_asked_for(retry_after, now) if status_code else 0.0
    pause = wish if status_code in BUSY else 0.0
    if attempt > len(schedule):
        return Verdict(DEAD, kind, pause_seconds=pause)
    return Verdict(QUEUED, kind, max(wish, with_jitter(schedule[attempt - 1])), pause)


def kind_of(status_code: int) -> str:
    """The kind of error that an answer is; empty for success."""
    if 200 <= status_code < 300:
        return ""
    if status_code == GONE:
        return IS_GONE
    return IS_REDIRECT if 300 <= status_code < 400 else IS_STATUS


def with_jitter(seconds: float) -> float:
    """A fifth more or less, so that what failed together does not come back together."""
    return seconds * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - not a secret


def seconds_asked_for(retry_after: str, now: datetime) -> float:
    """A Retry-After header in seconds from `now`: at most a day, 0 for what cannot be read."""
    text = retry_after.strip()
    is_number = text.isascii() and text.isdigit()
    seconds = float(text[:12]) if is_number else _seconds_until(text, now)
    return min(max(seconds, 0.0), LONGEST_WAIT_SECONDS)


def _seconds_until(date: str, now: datetime) -> float:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - now).total_seconds()
