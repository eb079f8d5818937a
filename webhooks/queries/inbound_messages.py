"""Reads of who may tell us something, and of what was told."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from webhooks.models import InboundMessage, InboundSource


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


def time_of_message_before(source: InboundSource, many: int) -> datetime | None:
    """When the first of the newest `many` messages came; None if there are fewer. One index."""
    rows = InboundMessage.objects.filter(source=source).order_by("-created_at", "-id")
    found: datetime | None = rows.values_list("created_at", flat=True)[many - 1 : many].first()
    return found


def older_than(horizon: datetime) -> QuerySet[Any]:
    """Messages that still have their body and were received before that moment, oldest first."""
    rows = InboundMessage.objects.filter(received_at__lt=horizon, body__isnull=False)
    return rows.order_by("received_at")
