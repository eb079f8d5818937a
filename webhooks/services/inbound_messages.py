"""Hearing what others tell us: verified, kept once, and told to the house by a job."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

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
from webhooks.models.inbound_message import LONGEST_NAME
from webhooks.models.inbound_source import WITHOUT_TIME
from webhooks.queries import inbound_messages as queries
from webhooks.queries import inbound_sources as source_queries
from webhooks.services.message_fields import names_of

log = structlog.get_logger(__name__)

KIND = "webhooks.handle_message"
REFUSED = "webhooks.message_refused"
# What anybody who knows an address can make us write into the log of security events.
REFUSALS_KEPT_PER_MINUTE = 10
BATCH = 200
PRUNE_SECONDS = 30.0


class TooManyMessages(errors.TooBusy):
    """A source sends more than INBOUND_MESSAGES_PER_MINUTE."""

    code = "inbound.too_many"
    message = "This source sends more messages than are taken in a minute. Try again shortly."


@dataclass(frozen=True, slots=True)
class Received:
    """A message that is kept now, and whether it was kept before."""

    message: InboundMessage
    duplicate: bool


def receive(
    *, source: InboundSource, headers: Mapping[str, str], body: bytes, ip: str | None
) -> Received:
    """Keep a message whose signature is right, and ask a job to tell the house of it.

    `headers` are by lower-case name. A copy of a kept message has no further effect. Raises
    Unverified after recording who tried, and TooManyMessages.
    """
    moment = database_now()
    signed_hash = _verify(source, headers, body, moment, ip)
    names = names_of(Scheme(source.scheme), headers, body, signed_hash=signed_hash)
    message = InboundMessage(
        id=new_id(),
        organization_id=source.organization_id,
        source=source,
        message_id=names.message_id,
        signed_hash=signed_hash,
        type=names.type,
        object_id=names.object_id,
        content_type=_printable(headers.get("content-type", "")),
        body=body,
        size_bytes=len(body),
        received_at=moment,
    )
    _check_rate(source, message)
    return _keep(message)


def _verify(
    source: InboundSource,
    headers: Mapping[str, str],
    body: bytes,
    moment: datetime,
    ip: str | None,
) -> str:
    """The hash of what was signed. Raises Unverified after recording who tried."""
    try:
        signed = signatures.verify_inbound(
            source.scheme,
            secrets=source.secrets_at(moment),
            headers=headers,
            body=body,
            now=moment.timestamp(),
        )
    except signatures.Unverified as refusal:
        _record_refusal(source, refusal.code, ip)
        raise
    return signed


def _check_rate(source: InboundSource, message: InboundMessage) -> None:
    """Of verified messages only: others must not use up what a source may send.

    A copy of a kept message is told that it is one, or its sender would go on sending it.
    """
    earliest = queries.time_of_message_before(source, settings.INBOUND_MESSAGES_PER_MINUTE)
    if earliest is None:
        return
    wait = source_queries.MINUTE - (message.received_at - earliest).total_seconds()
    if wait > 0 and queries.same_message(message) is None:
        raise TooManyMessages(retry_after=wait)


def _record_refusal(source: InboundSource, code: str, ip: str | None) -> None:
    """A security event, unless the source had many in this minute; then a line in the log."""
    data = {"source_id": str(source.id), "reason": code}
    if source_queries.refusals_of(source, REFUSED) >= REFUSALS_KEPT_PER_MINUTE:
        log.warning(REFUSED, ip=ip, **data)
        return
    record_security_event(kind=REFUSED, organization_id=source.organization_id, ip=ip, data=data)


def _printable(text: str) -> str:
    return text[:LONGEST_NAME] if text.isprintable() else ""


def _keep(message: InboundMessage) -> Received:
    """Row and job in one transaction; of copies that arrive together one is written."""
    with transaction.atomic():
        InboundMessage.objects.bulk_create([message], ignore_conflicts=True)
        kept = queries.same_message(message)
        if kept is None:  # its time was over a moment ago
            raise errors.TooBusy(retry_after=1)
        if kept.id != message.id:
            return Received(kept, duplicate=True)
        _ask_for_handling(message)
    return Received(message, duplicate=False)


def _ask_for_handling(message: InboundMessage) -> None:
    message.job = jobs.enqueue(
        kind=KIND,
        origin=jobs.Origin(message.organization_id),
        arguments={"inbound_message_id": str(message.id)},
        subject_id=message.id,
    )
    InboundMessage.objects.filter(id=message.id).update(job=message.job)


def handle(*, run: Run, message: InboundMessage) -> None:
    """The job: tell the house, once. The event, the mark and the job's end commit together."""
    with run.finishing():
        held = queries.locked(message.id)
        if held.handled_at is not None:
            return
        events.publish(
            INBOUND_RECEIVED,
            organization_id=held.organization_id,
            data={
                "source_id": str(held.source_id),
                "source": held.source.name,
                "inbound_message_id": str(held.id),
                "message_id": held.message_id,
                "type": held.type,
                "object_id": held.object_id,
                "received_at": held.received_at.isoformat(),
            },
        )
        InboundMessage.objects.filter(id=held.id).update(handled_at=database_now())


def handle_again(*, message: InboundMessage) -> InboundMessage:
    """Tell the house once more, as staff wish; whoever listens hears the same message twice.

    With a job of its own: to find and hold the one that may be at it, after the message, would
    lock in the wrong order. Whichever comes second finds the work done. Raises NotFound.
    """
    with transaction.atomic():
        try:
            held = queries.locked(message.id)
        except InboundMessage.DoesNotExist:
            raise errors.NotFound from None
        held.handled_at = None
        held.save(update_fields=("handled_at", "updated_at"))
        _ask_for_handling(held)
    return held


def prune(*, seconds: float = PRUNE_SECONDS) -> int:
    """Let go of what is older than WEBHOOK_HISTORY_DAYS, some at a time; how many messages.

    Of a scheme without a time the row stays without its body: its signature is good for ever, so
    only the row can tell a copy from a message. Stops after about `seconds`.
    """
    horizon = database_now() - timedelta(days=settings.WEBHOOK_HISTORY_DAYS)
    end, gone = time.monotonic() + seconds, 0
    while time.monotonic() < end and (batch := _prune_some(horizon)):
        gone += batch
    return gone


def _prune_some(horizon: datetime) -> int:
    with transaction.atomic():
        ids = list(queries.older_than(horizon).values_list("id", flat=True)[:BATCH])
        rows = InboundMessage.objects.filter(id__in=ids)
        rows.filter(source__scheme__in=WITHOUT_TIME).update(body=None)
        rows.exclude(source__scheme__in=WITHOUT_TIME).delete()
    return len(ids)
