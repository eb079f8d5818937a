"""The shapes of transcripts, their segments and texts sent in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.accounts.models.organization import check_language
from core.http.serializers import StrictSerializer
from meetings.importers.values import (
    LATEST_MS,
    LONGEST_SPEAKER,
    MOST_SEGMENTS,
)
from meetings.models import Recording, Transcript
from meetings.text.notes import Note, NoteCode


class TranscriptNoteSerializer(serializers.Serializer[Any]):
    """A note: its stable code, a sentence, and the values in that sentence."""

    code = serializers.ChoiceField(choices=[code.value for code in NoteCode])
    message = serializers.CharField()
    details = serializers.DictField()


class TranscriptSerializer(serializers.ModelSerializer[Transcript]):
    """One version of a meeting's text, without the text itself.

    `recording` is null for a text that was sent in; its engine is `imported`. `missing_ms` is sound
    that the file announces and does not hold, as in an upload that was cut short. `notes` say what
    was left out of the text or done to its source.
    """

    notes = serializers.SerializerMethodField()
    recording = serializers.PrimaryKeyRelatedField[Recording](read_only=True, allow_null=True)

    class Meta:
        model = Transcript
        fields: tuple[str, ...] = (
            "id",
            "recording",
            "version",
            "revision",
            "engine",
            "language",
            "language_probability",
            "confidence",
            "segment_count",
            "word_count",
            "speech_ms",
            "uncovered_speech_ms",
            "missing_ms",
            "notes",
            "created_at",
        )
        read_only_fields: tuple[str, ...] = fields

    @extend_schema_field(TranscriptNoteSerializer(many=True))
    def get_notes(self, transcript: Transcript) -> list[dict[str, Any]]:
        notes = map(Note.from_json, transcript.notes)
        return [{**note.to_json(), "message": note.message} for note in notes]


class WordSerializer(serializers.Serializer[Any]):
    """A word and when it was said; `probability` is the engine's, 0 to 1, null for none."""

    start_ms = serializers.IntegerField()
    end_ms = serializers.IntegerField()
    text = serializers.CharField()
    probability = serializers.FloatField(allow_null=True)


class SegmentSerializer(serializers.Serializer[Any]):
    """A piece of text. The times are null where an imported text came without them.

    For the schema, and for the test that compares it with what `shown_segments` writes.
    """

    id = serializers.UUIDField()
    position = serializers.IntegerField()
    speaker = serializers.CharField(allow_null=True)
    start_ms = serializers.IntegerField(allow_null=True)
    end_ms = serializers.IntegerField(allow_null=True)
    text = serializers.CharField()
    confidence = serializers.FloatField(allow_null=True)
    words = WordSerializer(many=True)


def shown_segments(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of `queries.segment_rows` in the shape of SegmentSerializer, ready for orjson.

    A serializer would take several times as long as reading the rows, and pages hold many.
    """
    return [
        {
            "id": row["id"],
            "position": row["position"],
            "speaker": row["speaker_label"],
            "start_ms": row["start_ms"],
            "end_ms": row["end_ms"],
            "text": row["text"],
            "confidence": row["confidence"],
            "words": _shown_words(row["words_json"]),
        }
        for row in rows
    ]


def _shown_words(words: str) -> list[dict[str, Any]]:
    return [
        {"start_ms": start, "end_ms": end, "text": text, "probability": probability}
        for start, end, text, probability in orjson.loads(words)
    ]


class SegmentPageSerializer(serializers.Serializer[Any]):
    """A page of segments in the order they were spoken."""

    results = SegmentSerializer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class MeetingTranscriptSerializer(serializers.Serializer[Any]):
    """The text of a meeting."""

    transcript = TranscriptSerializer()
    segments = SegmentPageSerializer()


class SentSegmentSerializer(StrictSerializer):
    """What somebody said. Both times or neither; the text is kept letter by letter."""

    text = serializers.CharField(allow_blank=True, trim_whitespace=False)
    speaker = serializers.CharField(max_length=LONGEST_SPEAKER, allow_blank=True, default="")
    start_ms = serializers.IntegerField(
        min_value=0, max_value=LATEST_MS, allow_null=True, default=None
    )
    end_ms = serializers.IntegerField(
        min_value=0, max_value=LATEST_MS, allow_null=True, default=None
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        start, end = attrs["start_ms"], attrs["end_ms"]
        if (start is None) != (end is None):
            raise serializers.ValidationError({"end_ms": "Give both times or neither."})
        if start is not None and end < start:
            raise serializers.ValidationError({"end_ms": "A segment ends after it starts."})
        return attrs


class SentTranscriptSerializer(StrictSerializer):
    """A text in the order it was said."""

    language = serializers.CharField(
        max_length=20,
        required=False,
        allow_blank=True,
        validators=[check_language],
        help_text="As `en`; the meeting's when it is left out.",
    )
    segments = serializers.ListField(
        child=SentSegmentSerializer(), allow_empty=False, max_length=MOST_SEGMENTS
    )


class ImportedTranscriptSerializer(serializers.Serializer[Any]):
    """The transcript that a text became."""

    transcript = TranscriptSerializer(source="*")
