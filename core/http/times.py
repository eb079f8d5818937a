"""Dates and times in requests: without a zone of their own they are the organization's."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo


def organization_zone(request: Any) -> tzinfo:
    """The zone of the organization that the request acts for; UTC where nobody asks (schema)."""
    actor = getattr(request, "actor", None)
    return UTC if actor is None else ZoneInfo(actor.organization.time_zone)


def to_utc(moment: datetime, zone: tzinfo) -> datetime:
    """The moment in UTC; a naive one is read in `zone`. Raises OverflowError.

    When clocks are changed RFC 5545 is followed (section 3.3.5): a time that is skipped counts from
    the offset before the change, one that comes twice is the first.
    """
    if moment.utcoffset() is None:
        moment = moment.replace(tzinfo=zone, fold=0)
    return moment.astimezone(UTC)
