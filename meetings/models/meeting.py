"""What was held."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from core.accounts.models.organization import time_zones
from core.accounts.visibility import TeamLimitedQuerySet
from core.db.rows import OrganizationModel

OFFSET = re.compile(r"[+-](?:[01]\d|2[0-3]):[0-5]\d")  # a zone without a place, as +02:00


def is_zone(name: str) -> bool:
    """Whether this is an IANA name or an offset."""
    return bool(OFFSET.fullmatch(name)) or name in time_zones()


def check_zone(name: str) -> None:
    """Raise ValidationError for what is neither an IANA name nor an offset."""
    if not is_zone(name):
        raise ValidationError("Give a time zone such as Europe/Berlin, or an offset as +02:00.")


def zone_named(name: str) -> tzinfo:
    """The zone of a name for which `is_zone` holds."""
    if OFFSET.fullmatch(name):
        return datetime.strptime(name, "%z").tzinfo or UTC
    return ZoneInfo(name)


class MeetingStatus(models.TextChoices):
    """Where the meeting itself stands; how its recordings fare is told by their jobs."""

    SCHEDULED = "scheduled"
    HELD = "held"
    CANCELLED = "cancelled"


class Meeting(OrganizationModel):
    """A meeting of an organization, seen by all of it or, when `team` is set, by that team.

    `time_zone`, an IANA name or an offset, is where it is held: its dates and "tomorrow" are there.
    `revision` grows with every change of content, so a file made from one revision stays valid
    for it.
    """

    title = models.CharField(max_length=300)
    organizer = models.ForeignKey(
        "core.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    team = models.ForeignKey(
        "core.Team", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[check_zone])
    platform = models.CharField(max_length=60, blank=True)
    status = models.CharField(max_length=10, choices=MeetingStatus, default=MeetingStatus.HELD)
    language = models.CharField(max_length=20, blank=True)
    tags = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    revision = models.PositiveIntegerField(default=1)

    objects: ClassVar[Any] = TeamLimitedQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(starts_at=None) | Q(ends_at__gte=F("starts_at")),
                name="meeting_ends_after_start",
            ),
        )
        indexes = (
            models.Index(fields=("organization", "-created_at", "-id"), name="meeting_newest"),
            models.Index(
                fields=("organization", "status", "-created_at", "-id"), name="meeting_status"
            ),
            models.Index(fields=("team", "-created_at"), name="meeting_team"),
            models.Index(fields=("organizer",), name="meeting_organizer"),
            models.Index(
                fields=("starts_at",), name="meeting_scheduled", condition=Q(status="scheduled")
            ),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def zone(self) -> tzinfo:
        return zone_named(self.time_zone)
