"""Reads of who may tell us something, and of what was told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet

from core.db.clock import database_now
from core.security.models import SecurityEvent
from webhooks.models import InboundMessage, InboundSource

MINUTE = 60.0


def enabled_source(source_id: UUID) -> InboundSource:
    """The source that an address names. Raises DoesNotExist for one that hears nothing."""
    found: InboundSource = InboundSource.objects.get(id=source_id, is_enabled=True)
    return found


def in_the_log(messages: QuerySet[Any]) -> QuerySet[Any]:
    """Messages with their source and job and without their bodies, which may be large."""
    return messages.select_related("source", "job").defer("body", "source__secret")


def with_body_flag(messages: QuerySet[Any]) -> QuerySet[Any]:
    """Messages without their bodies; `has_body` says whether there is one."""
    return messages.defer("body").annotate(has_body=Q(body__isnull=False))


def message_for_work(message_id: str) -> InboundMessage:
    """A message as a worker needs it. Raises DoesNotExist when it or its source is gone."""
    found: InboundMessage = InboundMessage.objects.defer("body").get(id=message_id)
    return found


def locked(message_id: UUID) -> InboundMessage:
    """The message held until the transaction ends, with its source. Raises DoesNotExist."""
    rows = InboundMessage.objects.select_for_update(of=("self",)).select_related("source")
    found: InboundMessage = rows.defer("body").get(id=message_id)
    return found


def same_message(message: InboundMessage) -> InboundMessage | None:
    """The kept message with this one's name or with what it signs, which may be itself."""
    same = Q(message_id=message.message_id) | Q(signed_hash=message.signed_hash)
    rows = InboundMessage.objects.defer("body").filter(same, source_id=message.source_id)
    found: InboundMessage | None = rows.order_by("id").first()
    return found


def refusals_of(source: InboundSource, kind: str) -> int:
    """How many refusals of this source the last minute has in the log of security events."""
    recent = SecurityEvent.objects.filter(
        kind=kind, created_at__gt=database_now(plus_seconds=-MINUTE)
    )
    return recent.filter(
        organization=source.organization_id, data__source_id=str(source.id)
    ).count()


def kept_refusals(source: InboundSource, kind: str) -> QuerySet[SecurityEvent]:
    """Those of this source in the log of security events, of as long as messages are kept."""
    since = database_now() - timedelta(days=settings.WEBHOOK_HISTORY_DAYS)
    recent = SecurityEvent.objects.filter(kind=kind, created_at__gt=since)
    return recent.filter(organization=source.organization_id, data__source_id=str(source.id))


def time_of_message_before(source: InboundSource, many: int) -> datetime | None:
    """When the first of the newest `many` messages came; None if there are fewer. One index."""
    rows = InboundMessage.objects.filter(source=source).order_by("-created_at", "-id")
    found: datetime | None = rows.values_list("created_at", flat=True)[many - 1 : many].first()
    return found


def older_than(horizon: datetime) -> QuerySet[Any]:
    """Messages that still have their body and were received before that moment, oldest first."""
    rows = InboundMessage.objects.filter(received_at__lt=horizon, body__isnull=False)
    return rows.order_by("received_at")
