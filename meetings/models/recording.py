"""A meeting's use of one stored file."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from core.accounts.visibility import TeamLimitedQuerySet
from core.db.rows import OrganizationModel


class RecordingQuerySet(TeamLimitedQuerySet):
    team_path = "meeting__team"


class Recording(OrganizationModel):
    """The uploaded audio of a meeting: where on its clock, how long, and of what real type.

    Never deleted by a failure: `job` tells how its transcription fares, and another may be asked
    for on the same bytes. `position` counts a meeting's recordings and imported texts together.
    `started_at` is given by the client. `offset_ms` is where the recording begins on the meeting's
    clock, which starts with the first of them. `replaced_by` is a text that counts instead.
    """

    meeting = models.ForeignKey(
        "meetings.Meeting", on_delete=models.CASCADE, related_name="recordings"
    )
    stored_file = models.ForeignKey(
        "core.StoredFile", on_delete=models.PROTECT, related_name="recordings"
    )
    job = models.ForeignKey(
        "core.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    replaced_by = models.ForeignKey(
        "meetings.Transcript", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    position = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField(null=True, blank=True)
    offset_ms = models.PositiveBigIntegerField(default=0)
    filename = models.CharField(max_length=255, blank=True)
    media_type = models.CharField(max_length=60)
    codec = models.CharField(max_length=60)
    language = models.CharField(max_length=20, blank=True)
    duration_ms = models.PositiveBigIntegerField()
    channels = models.PositiveSmallIntegerField()
    sample_rate = models.PositiveIntegerField()

    objects: ClassVar[Any] = RecordingQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("meeting", "stored_file"), name="recording_once"),
        )
        indexes = (
            models.Index(fields=("meeting", "position"), name="recording_order"),
            models.Index(fields=("organization", "-created_at", "-id"), name="recording_newest"),
        )

    def __str__(self) -> str:
        return self.filename or str(self.id)
