"""Reads of the secrets of endpoints."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from webhooks.models import EndpointSecret


def signing(endpoint_ids: Iterable[UUID]) -> QuerySet[EndpointSecret]:
    """The secrets in force of these endpoints, the current one first."""
    in_force = Q(expires_at=None) | Q(expires_at__gt=Now())
    rows = EndpointSecret.objects.filter(in_force, endpoint_id__in=list(endpoint_ids))
    return rows.order_by(F("expires_at").desc(nulls_first=True))
