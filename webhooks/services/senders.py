"""A sender: one job that claims due deliveries while it has room, until none is due or time is up.

Its main thread claims deliveries and records outcomes; an event loop beside it sends the requests.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Hashable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction

from core.jobs.run import Run
from webhooks.delivery.http_requests import (
    GRACE_SECONDS,
    OutboundRequest,
    RequestLoop,
    RequestResult,
)
from webhooks.delivery.retry_policy import (
    INTERNAL_KINDS,
    KIND_UNSIGNED,
    SUCCEEDED,
    RetryDecision,
    decide,
)
from webhooks.services import claiming, sender_jobs
from webhooks.services.claiming import ClaimedDelivery
from webhooks.services.outcomes import EndpointUpdate, Outcome, record_outcomes
from webhooks.services.secret_cache import NoUsableSecret, SecretCache

log = structlog.get_logger(__name__)

MAX_RUN_SECONDS = 30.0  # before a successor takes over
POLL_SECONDS = 0.1  # between two looks for due deliveries
USER_AGENT = "Minutebook-Webhooks/1"


def time_limit_seconds() -> float:
    """The time limit of a sender's job: its run, the requests begun in it, and some room."""
    return MAX_RUN_SECONDS + 2 * settings.WEBHOOK_DEADLINE_SECONDS + 30


def send_deliveries(*, run: Run, slot: int) -> None:
    """Send what is due until nothing is, or hand over to a successor after `MAX_RUN_SECONDS`."""
    with RequestLoop(deadline_seconds=settings.WEBHOOK_DEADLINE_SECONDS) as requests:
        sender = Sender(requests)
        try:
            sender.work(run)
            with transaction.atomic():
                with run.finishing():
                    pass  # ends the job, so that its slot is free for the successor
                if claiming.seconds_waiting() is not None:
                    sender_jobs.request_sender(slot=slot)
        finally:
            # Whatever ended the job, requests that were sent are recorded.
            sender.finish()


def endpoint_wait_seconds() -> float:
    """How long an outcome waits for the lock of its endpoint, well within the lease."""
    return settings.WEBHOOK_DEADLINE_SECONDS / 2


class Sender:
    """Deliveries claimed by one job, from the claim to the recorded outcome."""

    def __init__(self, requests: RequestLoop) -> None:
        self.requests = requests
        self._claimed: dict[Hashable, ClaimedDelivery] = {}
        self._unsent: list[ClaimedDelivery] = []  # claimed, and no request was begun
        self._unwritten: list[Outcome] = []
        self._recently_failed: set[uuid.UUID] = set()  # endpoints whose last attempt here failed
        self._secrets = SecretCache()
        self._clock_offset = 0.0  # from the monotonic clock to the database's

    def work(self, run: Run) -> None:
        """Claim, send and record until nothing was due for a while or the time is up."""
        started = last_busy = time.monotonic()
        while True:
            run.checkpoint()
            if self._claim() or self._claimed:
                last_busy = time.monotonic()
            elif time.monotonic() - last_busy >= settings.WEBHOOK_SENDER_IDLE_SECONDS:
                return
            self._record_results()
            if time.monotonic() - started >= MAX_RUN_SECONDS:
                return

    def finish(self) -> None:
        """Record requests that are still in flight, and release deliveries that were not sent."""
        # A request that outlives this deadline is left to the end of its lease.
        ends_at = time.monotonic() + settings.WEBHOOK_DEADLINE_SECONDS + GRACE_SECONDS
        ends_at += endpoint_wait_seconds()
        while (self._claimed or self._unsent) and time.monotonic() < ends_at:
            try:
                if self._unsent:
                    claiming.release(self._unsent)
                    self._unsent = []
                self._record_results()
            except (OperationalError, InterfaceError) as error:
                log.warning("webhook.outcomes_wait", count=len(self._unwritten), error=str(error))
                connection.close()
                time.sleep(POLL_SECONDS)

    def _now(self) -> float:
        """Epoch seconds by the database's clock: the worker's own may be wrong."""
        return self._clock_offset + time.monotonic()

    def _claim(self) -> int:
        """Claim as many deliveries as there is room for, and begin their requests."""
        free = settings.WEBHOOK_IN_FLIGHT - len(self._claimed)
        claimed = self._unsent = claiming.claim(free=free) if free > 0 else []
        if not claimed:
            return 0
        self._clock_offset = claimed[-1].claimed_at - time.monotonic()
        self._secrets.load({delivery.endpoint_id for delivery in claimed})
        self._claimed |= {delivery.key: delivery for delivery in claimed}
        self._unsent = []
        self.begin(claimed)
        return len(claimed)

    def begin(self, deliveries: Sequence[ClaimedDelivery]) -> None:
        """Begin the requests of claimed deliveries; those that cannot be signed fail at once."""
        requests = []
        for delivery in deliveries:
            try:
                requests.append(self._request(delivery))
            except NoUsableSecret:
                result = RequestResult(delivery.key, time.monotonic(), 0, error_kind=KIND_UNSIGNED)
                self._unwritten.append(self._outcome(result))
        self.requests.begin(requests)

    def _request(self, delivery: ClaimedDelivery) -> OutboundRequest:
        """The request, signed for this moment. Raises NoUsableSecret."""
        body = delivery.body.encode()
        message_id, timestamp = str(delivery.event_id), int(self._now())
        signature = self._secrets.header(
            delivery.endpoint_id, message_id=message_id, timestamp=timestamp, body=body
        )
        headers = {
            "content-type": "application/json",
            "user-agent": USER_AGENT,
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature,
            "x-minutebook-event": delivery.event_type,
            "x-minutebook-delivery": str(delivery.id),
        }
        return OutboundRequest(delivery.key, delivery.url, headers, body)

    def _record_results(self) -> None:
        """Record ended requests; outcomes that cannot be written now are kept for the next time."""
        results = self.requests.results(wait=POLL_SECONDS)
        self._unwritten += [self._outcome(result) for result in results]
        now = self._now()
        outcomes = [
            # An outcome must be recorded before its lease ends, if need be without its endpoint.
            replace(
                outcome,
                may_wait=now - outcome.began_at - outcome.duration_ms / 1000
                < endpoint_wait_seconds(),
            )
            for outcome in self._unwritten
        ]
        deferred = record_outcomes(outcomes).deferred
        deferred_keys = {outcome.key for outcome in deferred}
        for outcome in self._unwritten:
            if outcome.key not in deferred_keys:
                del self._claimed[outcome.key]
        self._unwritten = list(deferred)

    def _outcome(self, result: RequestResult) -> Outcome:
        delivery = self._claimed[result.key]
        decision = decide(
            result.status_code,
            result.error_kind,
            result.retry_after,
            attempt=delivery.attempt_count + 1,
            schedule=settings.WEBHOOK_RETRY_SCHEDULE,
            now=datetime.fromtimestamp(self._now(), UTC),
        )
        return Outcome(
            delivery.id,
            delivery.token,
            delivery.endpoint_id,
            delivery.url,
            decision,
            began_at=self._clock_offset + result.began_at,
            duration_ms=result.duration_ms,
            status_code=result.status_code,
            address=result.address,
            excerpt=result.excerpt,
            endpoint_update=self._endpoint_update(delivery, decision),
        )

    def _endpoint_update(
        self, delivery: ClaimedDelivery, decision: RetryDecision
    ) -> EndpointUpdate:
        """Only failures of the receiver and the first success after one need the endpoint's row."""
        if decision.error_kind in INTERNAL_KINDS:
            return EndpointUpdate.NONE
        if decision.status != SUCCEEDED:
            self._recently_failed.add(delivery.endpoint_id)
            return EndpointUpdate.REQUIRED
        is_required = delivery.must_record_success or delivery.endpoint_id in self._recently_failed
        self._recently_failed.discard(delivery.endpoint_id)
        return EndpointUpdate.REQUIRED if is_required else EndpointUpdate.OPTIONAL
