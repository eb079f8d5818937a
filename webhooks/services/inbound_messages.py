"""Receives messages: verified, stored once, and published as events by a job."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction

from core import errors
from core.db.clock import database_now
from core.db.rows import new_id
from core.events import services as events
from core.jobs import services as jobs
from core.jobs.run import Run
from core.security.services import record_security_event
from webhooks import signatures
from webhooks.events import INBOUND_RECEIVED
from webhooks.models import InboundMessage, InboundSource, Scheme
from webhooks.models.inbound_message import MAX_NAME_LENGTH
from webhooks.models.inbound_source import WITHOUT_TIMESTAMP
from webhooks.queries import inbound_messages as queries
from webhooks.queries import inbound_sources as source_queries
from webhooks.services.message_fields import read_fields

log = structlog.get_logger(__name__)

KIND = "webhooks.handle_message"
REFUSED = "webhooks.message_refused"
REFUSALS_KEPT_PER_MINUTE = 10  # per source: a flood of forgeries must not fill the table
BATCH = 200
PRUNE_SECONDS = 30.0


class TooManyMessages(errors.TooBusy):
    """A source sends more than INBOUND_MESSAGES_PER_MINUTE."""

    code = "inbound.too_many"
    message = "This source sends more messages than are accepted in a minute. Try again shortly."


@dataclass(frozen=True, slots=True)
class Received:
    """A stored message, and whether it had been stored before."""

    message: InboundMessage
    duplicate: bool


def receive(
    *, source: InboundSource, headers: Mapping[str, str], body: bytes, ip: str | None
) -> Received:
    """Verify and store a message, and enqueue the job that publishes it.

    `headers` have lower-case names. A duplicate has no further effect. Raises Unverified, after
    recording the refusal, and TooManyMessages.
    """
    now = database_now()
    try:
        signed_hash = signatures.verify_inbound(
            source.scheme,
            secrets=source.secrets_at(now),
            headers=headers,
            body=body,
            now=now.timestamp(),
        )
    except signatures.Unverified as refusal:
        _record_refusal(source, refusal.code, ip)
        raise
    fields = read_fields(Scheme(source.scheme), headers, body, signed_hash=signed_hash)
    content_type = headers.get("content-type", "")
    message = InboundMessage(
        id=new_id(),
        organization_id=source.organization_id,
        source=source,
        message_id=fields.message_id,
        signed_hash=signed_hash,
        type=fields.type,
        object_id=fields.object_id,
        content_type=content_type[:MAX_NAME_LENGTH] if content_type.isprintable() else "",
        body=body,
        size_bytes=len(body),
        received_at=now,
    )
    # After verification: requests of others must not use up the limit of a source.
    _check_rate(source, message)
    with transaction.atomic():
        # Of duplicates that arrive at the same time one is inserted.
        InboundMessage.objects.bulk_create([message], ignore_conflicts=True)
        stored = queries.same_message(message)
        if stored is None:  # pruned a moment ago
            raise errors.TooBusy(retry_after=1)
        if stored.id != message.id:
            return Received(stored, duplicate=True)
        _request_handling(message)
    return Received(message, duplicate=False)


def _check_rate(source: InboundSource, message: InboundMessage) -> None:
    """A source may send INBOUND_MESSAGES_PER_MINUTE; duplicates are answered even above that."""
    earliest = queries.time_of_message_before(source, settings.INBOUND_MESSAGES_PER_MINUTE)
    if earliest is None:
        return
    wait = source_queries.MINUTE - (message.received_at - earliest).total_seconds()
    if wait > 0 and queries.same_message(message) is None:
        raise TooManyMessages(retry_after=wait)


def _record_refusal(source: InboundSource, code: str, ip: str | None) -> None:
    """Record a security event, or only a line in the log above REFUSALS_KEPT_PER_MINUTE."""
    data = {"source_id": str(source.id), "reason": code}
    if source_queries.refusals_in_last_minute(source, REFUSED) >= REFUSALS_KEPT_PER_MINUTE:
        log.warning(REFUSED, ip=ip, **data)
        return
    record_security_event(kind=REFUSED, organization_id=source.organization_id, ip=ip, data=data)


def _request_handling(message: InboundMessage) -> None:
    message.job = jobs.enqueue(
        kind=KIND,
        origin=jobs.Origin(message.organization_id),
        arguments={"inbound_message_id": str(message.id)},
        subject_id=message.id,
    )
    InboundMessage.objects.filter(id=message.id).update(job=message.job)


def handle(*, run: Run, message: InboundMessage) -> None:
    """Publish `inbound.received` once; event, mark and the job's end are one transaction."""
    with run.finishing():
        locked = queries.locked(message.id)
        if locked.handled_at is not None:
            return
        events.publish(
            INBOUND_RECEIVED,
            organization_id=locked.organization_id,
            data={
                "source_id": str(locked.source_id),
                "source": locked.source.name,
                "inbound_message_id": str(locked.id),
                "message_id": locked.message_id,
                "type": locked.type,
                "object_id": locked.object_id,
                "received_at": locked.received_at.isoformat(),
            },
        )
        InboundMessage.objects.filter(id=locked.id).update(handled_at=database_now())


def handle_again(*, message: InboundMessage) -> InboundMessage:
    """Publish a message once more, at the request of staff. Raises NotFound."""
    with transaction.atomic():
        try:
            locked = queries.locked(message.id)
        except InboundMessage.DoesNotExist:
            raise errors.NotFound from None
        locked.handled_at = None
        locked.save(update_fields=("handled_at", "updated_at"))
        # A new job: locking the old one after the message would be the wrong order. If both run,
        # the second finds the message handled.
        _request_handling(locked)
    return locked


def prune(*, seconds: float = PRUNE_SECONDS) -> int:
    """Delete messages older than WEBHOOK_HISTORY_DAYS, for about `seconds`; returns how many."""
    horizon = database_now() - timedelta(days=settings.WEBHOOK_HISTORY_DAYS)
    end, pruned = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        with transaction.atomic():
            ids = list(queries.older_than(horizon).values_list("id", flat=True)[:BATCH])
            messages = InboundMessage.objects.filter(id__in=ids)
            # A signature without a timestamp is valid for ever: only the row detects a duplicate.
            messages.filter(source__scheme__in=WITHOUT_TIMESTAMP).update(body=None)
            messages.exclude(source__scheme__in=WITHOUT_TIMESTAMP).delete()
        if not ids:
            break
        pruned += len(ids)
    return pruned
