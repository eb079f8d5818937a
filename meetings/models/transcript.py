"""The text of a recording, and its timed pieces."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from core.accounts.visibility import TeamLimitedQuerySet
from core.db.rows import OwnedRow, new_id


class TranscriptQuerySet(TeamLimitedQuerySet):
    team_path = "recording__meeting__team"


class SegmentQuerySet(TeamLimitedQuerySet):
    team_path = "transcript__recording__meeting__team"


class Transcript(OwnedRow):
    """One version of the text of a recording.

    `confidence` is 0 to 1. `uncovered_speech_ms` is speech that the engine heard and found no words
    for: a quality figure. `language_probability` is empty when the language was assumed.
    """

    recording = models.ForeignKey(
        "meetings.Recording", on_delete=models.CASCADE, related_name="transcripts"
    )
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

    objects: ClassVar[Any] = TranscriptQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("recording", "version"), name="transcript_version"),
        )

    def __str__(self) -> str:
        return f"transcript {self.version} of {self.recording_id}"


class Segment(models.Model):
    """A timed piece of text; `words` holds [start_ms, end_ms, text, probability] per word."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(
        "core.Organization", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    transcript = models.ForeignKey(
        Transcript, on_delete=models.CASCADE, related_name="segments", db_index=False
    )
    position = models.PositiveIntegerField()
    start_ms = models.PositiveIntegerField()
    end_ms = models.PositiveIntegerField()
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
