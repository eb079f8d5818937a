"""The text of a meeting, who speaks in it, and its pieces."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce

from core.accounts.visibility import TeamLimitedQuerySet
from core.db.rows import OrganizationModel, new_id


class TranscriptQuerySet(TeamLimitedQuerySet):
    team_path = "meeting__team"

    def current(self) -> Self:
        """The newest version of each recording's text, and imported texts; none replaced."""
        newer = Transcript.objects.filter(
            recording=OuterRef("recording"), version__gt=OuterRef("version")
        )
        return self.filter(~Exists(newer), replaced_by=None, recording__replaced_by=None)

    def in_order(self) -> Self:
        """In the order of the meeting's clock, each with its recording."""
        offset = Coalesce("recording__offset_ms", "offset_ms")
        position = Coalesce("recording__position", "position")
        return self.select_related("recording").order_by(offset, position, "id")


class SpeakerQuerySet(TeamLimitedQuerySet):
    team_path = "transcript__meeting__team"


class SegmentQuerySet(TeamLimitedQuerySet):
    team_path = "transcript__meeting__team"


class Transcript(OrganizationModel):
    """One version of a meeting's text: what was heard in a recording, or text sent in as it is.

    Without a recording the engine is `imported`. Versions count per recording, those of imported
    texts per meeting. `position`, `offset_ms`, `duration_ms` and `replaced_by` are about an
    imported text and mean the same as a recording's. `confidence` is 0 to 1. `uncovered_speech_ms`
    is speech that the engine heard and found no words for: a quality figure. `missing_ms` is sound
    that the file announces and does not hold. `language_probability` is empty when the language was
    assumed. `notes` is a list
    of `meetings.text.notes.Note` as JSON.
    """

    meeting = models.ForeignKey(
        "meetings.Meeting", on_delete=models.CASCADE, related_name="transcripts"
    )
    recording = models.ForeignKey(
        "meetings.Recording",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="transcripts",
    )
    replaced_by = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    position = models.PositiveSmallIntegerField(default=0)
    offset_ms = models.PositiveBigIntegerField(default=0)
    duration_ms = models.PositiveBigIntegerField(default=0)
    version = models.PositiveSmallIntegerField()
    revision = models.PositiveIntegerField(default=1)
    engine = models.CharField(max_length=80)
    language = models.CharField(max_length=20, blank=True)
    language_probability = models.FloatField(null=True, blank=True)
    confidence = models.FloatField(null=True, blank=True)
    segment_count = models.PositiveIntegerField()
    word_count = models.PositiveIntegerField()
    speech_ms = models.PositiveBigIntegerField()
    uncovered_speech_ms = models.PositiveBigIntegerField()
    missing_ms = models.PositiveBigIntegerField(default=0)
    notes: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)

    objects: ClassVar[Any] = TranscriptQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("recording", "version"), name="transcript_version"),
            models.UniqueConstraint(
                fields=("meeting", "version"),
                condition=Q(recording=None),
                name="transcript_imported_version",
            ),
        )

    def __str__(self) -> str:
        return f"transcript {self.version} of {self.recording_id or self.meeting_id}"

    @property
    def clock_offset_ms(self) -> int:
        """Where its times begin on the meeting's clock. Needs `recording`."""
        return self.recording.offset_ms if self.recording else self.offset_ms


class Speaker(OrganizationModel):
    """Somebody who speaks in a transcript, under the label that the text came with."""

    transcript = models.ForeignKey(
        Transcript, on_delete=models.CASCADE, related_name="speakers", db_index=False
    )
    label = models.CharField(max_length=200)

    objects: ClassVar[Any] = SpeakerQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("transcript", "label"), name="speaker_label"),
        )

    def __str__(self) -> str:
        return self.label


class Segment(models.Model):
    """A piece of text of one speaker; `words` holds [start_ms, end_ms, text, probability] each.

    The times count from the start of its recording or imported text, so that they stay right when
    its offset on the meeting's clock changes. They are null where a text came without them.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(
        "core.Organization", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    transcript = models.ForeignKey(
        Transcript, on_delete=models.CASCADE, related_name="segments", db_index=False
    )
    # Restricted: a speaker must not take the words along.
    speaker = models.ForeignKey(
        Speaker, null=True, blank=True, on_delete=models.RESTRICT, related_name="+"
    )
    position = models.PositiveIntegerField()
    start_ms = models.PositiveIntegerField(null=True)
    end_ms = models.PositiveIntegerField(null=True)
    text = models.TextField()
    confidence = models.FloatField(null=True)
    words: models.JSONField[Any, Any] = models.JSONField(default=list)

    objects: ClassVar[Any] = SegmentQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("transcript", "position"), name="segment_position"),
        )

    def __str__(self) -> str:
        return f"segment {self.position} of {self.transcript_id}"
