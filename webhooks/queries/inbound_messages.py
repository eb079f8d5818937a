"""Reads of inbound messages."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from webhooks.models import InboundMessage, InboundSource


def without_bodies(messages: QuerySet[Any]) -> QuerySet[Any]:
    """Messages with their source and job and without their bodies, which may be large."""
    return messages.select_related("source", "job").defer("body", "source__secret")


def with_body_flag(messages: QuerySet[Any]) -> QuerySet[Any]:
    """Messages without their bodies; `has_body` says whether there is one."""
    return messages.defer("body").annotate(has_body=Q(body__isnull=False))


def message_for_work(message_id: str) -> InboundMessage:
    """A message without its body. Raises DoesNotExist."""
    found: InboundMessage = InboundMessage.objects.defer("body").get(id=message_id)
    return found


def locked(message_id: UUID) -> InboundMessage:
    """The locked message with its source. Raises DoesNotExist."""
    rows = InboundMessage.objects.select_for_update(of=("self",)).select_related("source")
    found: InboundMessage = rows.defer("body").get(id=message_id)
    return found


def same_message(message: InboundMessage) -> InboundMessage | None:
    """The stored message with the same id or the same signed bytes, perhaps itself."""
    same = Q(message_id=message.message_id) | Q(signed_hash=message.signed_hash)
    rows = InboundMessage.objects.defer("body").filter(same, source_id=message.source_id)
    found: InboundMessage | None = rows.order_by("id").first()
    return found


def time_of_message_before(source: InboundSource, many: int) -> datetime | None:
    """When the first of the newest `many` messages was created; None if there are fewer."""
    rows = InboundMessage.objects.filter(source=source).order_by("-created_at", "-id")
    found: datetime | None = rows.values_list("created_at", flat=True)[many - 1 : many].first()
    return found


def older_than(horizon: datetime) -> QuerySet[Any]:
    """Messages with a body that were received before `horizon`, oldest first."""
    rows = InboundMessage.objects.filter(received_at__lt=horizon, body__isnull=False)
    return rows.order_by("received_at")
