"""A sender: one job that takes due deliveries as it has room, until none is left or time is up."""

from __future__ import annotations

import time
import uuid
from collections.abc import Hashable
from dataclasses import replace
from datetime import UTC, datetime

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction

from core.jobs.run import Run
from webhooks.delivery.http_requests import GRACE_SECONDS, Exchange, Exchanges, Result
from webhooks.delivery.retry_policy import IS_UNSIGNED, OUR_FAULTS, SUCCEEDED, Verdict, judge
from webhooks.services import claiming, outcomes, sender_jobs
from webhooks.services.claiming import Taken
from webhooks.services.outcomes import News, Outcome
from webhooks.services.secret_cache import Signing, Unsigned

log = structlog.get_logger(__name__)

TURN_SECONDS = 30.0  # at work, before a successor takes over
LOOK_SECONDS = 0.1  # between two looks for what has become due
USER_AGENT = "Minutebook-Webhooks/1"


def time_limit_seconds() -> float:
    """Of a sender's job: its turn, the exchanges begun in it, and room for a slow machine."""
    return TURN_SECONDS + 2 * settings.WEBHOOK_DEADLINE_SECONDS + 30


def send_deliveries(*, run: Run, slot: int) -> None:
    """Send what is due. Ends after a time without work, or hands over to a successor.

    Whatever ends it, exchanges that it has begun go on to their end or deadline and are written.
    """
    with Exchanges(deadline_seconds=settings.WEBHOOK_DEADLINE_SECONDS) as exchanges:
        sender = Sender(exchanges)
        try:
            sender.work(run)
            _hand_over(run, slot)
        finally:
            sender.finish_begun()


def _hand_over(run: Run, slot: int) -> None:
    """End the job, with a successor if something waits: its slot is free from here on."""
    with transaction.atomic():
        with run.finishing():
            pass
        if claiming.seconds_waiting() is not None:
            sender_jobs.ask_for_sender(slot=slot)


def patience_seconds() -> float:
    """How long an outcome waits for an endpoint that somebody else holds.

    Then it is written without it: with the deadline it is well within `claiming.hold_seconds`.
    """
    return settings.WEBHOOK_DEADLINE_SECONDS / 2


class Sender:
    """What one job holds: deliveries whose exchanges are in flight."""

    def __init__(self, exchanges: Exchanges) -> None:
        self.exchanges = exchanges
        self._held: dict[Hashable, Taken] = {}
        self._unsent: list[Taken] = []  # taken, and its exchanges not begun
        self._unwritten: list[Outcome] = []
        self._shaky: set[uuid.UUID] = set()  # endpoints whose last attempt here failed
        self._signing = Signing()
        self._clock = 0.0  # what the database's clock is ahead of the monotonic one

    def work(self, run: Run) -> None:
        """Take, send and write until nothing has been due for a while or the turn is over."""
        begun = busy = time.monotonic()
        while True:
            run.checkpoint()
            if self._take() or self._held:
                busy = time.monotonic()
            elif time.monotonic() - busy >= settings.WEBHOOK_SENDER_IDLE_SECONDS:
                return
            self._write(wait=LOOK_SECONDS)
            if time.monotonic() - begun >= TURN_SECONDS:
                return

    def finish_begun(self) -> None:
        """Write what is still in flight, and give back what was never sent.

        What outlives its deadline too is left to its lease.
        """
        ends_at = time.monotonic() + settings.WEBHOOK_DEADLINE_SECONDS + GRACE_SECONDS
        ends_at += patience_seconds()
        while (self._held or self._unsent) and time.monotonic() < ends_at:
            try:
                self._give_back()
                self._write(wait=LOOK_SECONDS)
            except (OperationalError, InterfaceError) as error:
                log.warning("webhook.outcomes_wait", count=len(self._unwritten), error=str(error))
                connection.close()
                time.sleep(LOOK_SECONDS)

    def _take(self) -> int:
        free = settings.WEBHOOK_IN_FLIGHT - len(self._held)
        taken = self._unsent = claiming.take(free=free) if free > 0 else []
        if taken:
            self._clock = taken[-1].taken_at - time.monotonic()
            self._signing.load({one.endpoint_id for one in taken})
            self._held |= {one.key: one for one in taken}
            self._unsent = []
            self._begin(taken)
        return len(taken)

    def _give_back(self) -> None:
        if self._unsent:
            claiming.give_back(self._unsent)
            self._unsent = []

    def _begin(self, taken: list[Taken]) -> None:
        exchanges = []
        for one in taken:
            try:
                exchanges.append(self._exchange(one))
            except Unsigned:
                result = Result(one.key, time.monotonic(), 0, error_kind=IS_UNSIGNED)
                self._unwritten.append(self._outcome(result))
        self.exchanges.begin(exchanges)

    def _exchange(self, one: Taken) -> Exchange:
        """The request as it is sent, signed for this moment. Raises Unsigned."""
        body = one.body.encode()
        message_id, timestamp = str(one.event_id), int(self._clock + time.monotonic())
        signature = self._signing.header(
            one.endpoint_id, message_id=message_id, timestamp=timestamp, body=body
        )
        headers = {
            "content-type": "application/json",
            "user-agent": USER_AGENT,
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature,
            "x-minutebook-event": one.event_type,
            "x-minutebook-delivery": str(one.id),
        }
        return Exchange(one.key, one.url, headers, body)

    def _write(self, *, wait: float) -> None:
        """Write what has ended; what cannot be written now is kept for the next time."""
        self._unwritten += [self._outcome(one) for one in self.exchanges.results(wait=wait)]
        written = outcomes.write([self._in_time(one) for one in self._unwritten])
        left = {outcome.key for outcome in written.left}
        for outcome in self._unwritten:
            if outcome.key not in left:
                del self._held[outcome.key]
        self._unwritten = list(written.left)

    def _in_time(self, outcome: Outcome) -> Outcome:
        """The outcome so that it is written before its lease ends."""
        ended_at = outcome.began_at + outcome.duration_ms / 1000
        waited = self._clock + time.monotonic() - ended_at
        return replace(outcome, may_wait=waited < patience_seconds())

    def _outcome(self, result: Result) -> Outcome:
        one = self._held[result.key]
        verdict = judge(
            result.status_code,
            result.error_kind,
            result.retry_after,
            attempt=one.attempt_count + 1,
            schedule=settings.WEBHOOK_RETRY_SCHEDULE,
            now=datetime.fromtimestamp(self._clock + time.monotonic(), UTC),
        )
        return Outcome(
            one.id,
            one.token,
            one.endpoint_id,
            one.url,
            verdict,
            began_at=self._clock + result.began_at,
            duration_ms=result.duration_ms,
            status_code=result.status_code,
            address=result.address,
            excerpt=result.excerpt,
            news=self._news(one, verdict),
        )

    def _news(self, one: Taken, verdict: Verdict) -> News:
        """What went wrong on our side is not the receiver's; a success after a failure is news."""
        if verdict.error_kind in OUR_FAULTS:
            return News.NONE
        if verdict.status != SUCCEEDED:
            self._shaky.add(one.endpoint_id)
            return News.FRESH
        is_news = one.tells or one.endpoint_id in self._shaky
        self._shaky.discard(one.endpoint_id)
        return News.FRESH if is_news else News.STALE
