"""Reads of inbound sources and of the messages refused from them."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from core.db.clock import database_now
from core.security.models import SecurityEvent
from webhooks.models import InboundSource

MINUTE = 60.0


def enabled_source(source_id: UUID) -> InboundSource:
    """The source of an address. Raises DoesNotExist also for a disabled one."""
    found: InboundSource = InboundSource.objects.get(id=source_id, is_enabled=True)
    return found


def refusals_in_last_minute(source: InboundSource, kind: str) -> int:
    """How many refused messages of this source were recorded in the last minute."""
    recent = SecurityEvent.objects.filter(
        kind=kind, created_at__gt=database_now(plus_seconds=-MINUTE)
    )
    return recent.filter(
        organization=source.organization_id, data__source_id=str(source.id)
    ).count()


def refusals_of_source(source: InboundSource, kind: str) -> QuerySet[SecurityEvent]:
    """The recorded refusals of this source, for as long as messages are kept."""
    since = database_now() - timedelta(days=settings.WEBHOOK_HISTORY_DAYS)
    recent = SecurityEvent.objects.filter(kind=kind, created_at__gt=since)
    return recent.filter(organization=source.organization_id, data__source_id=str(source.id))
