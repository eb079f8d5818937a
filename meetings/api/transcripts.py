"""The shapes of transcripts, their segments and texts sent in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.accounts.models.organization import check_language
from core.http.pagination import (
    Cursor,
    CursorPages,
    InvalidCursor,
    Page,
    read_cursor,
    size_from,
    write_cursor,
)
from core.http.serializers import StrictSerializer
from core.jobs.serializers import JobSerializer
from meetings import queries
from meetings.api.items import AnalysisHeadSerializer
from meetings.importers.values import (
    LATEST_MS,
    LONGEST_SPEAKER,
    MOST_SEGMENTS,
)
from meetings.models import Recording, Transcript
from meetings.services.transcripts import Replaced
from meetings.text.notes import Note, NoteCode


class TranscriptNoteSerializer(serializers.Serializer[Any]):
    """A note on a transcript: a stable code, a message, and the values in it."""

    code = serializers.ChoiceField(choices=[code.value for code in NoteCode])
    message = serializers.CharField()
    details = serializers.DictField()


class TranscriptSerializer(serializers.ModelSerializer[Transcript]):
    """One version of the text of a recording, or an imported text, without its segments.

    `recording` is null for an imported text; its engine is `imported`. `offset_ms` is where
    it begins on the meeting's clock. `missing_ms` is sound that the file announces and does not
    hold, as in an upload that was cut short. `notes` say what was left out of the text or done to
    its source.
    """

    notes = serializers.SerializerMethodField()
    recording = serializers.PrimaryKeyRelatedField[Recording](read_only=True, allow_null=True)
    offset_ms = serializers.IntegerField(source="clock_offset_ms", read_only=True)

    class Meta:
        model = Transcript
        fields: tuple[str, ...] = (
            "id",
            "recording",
            "offset_ms",
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
    """A timed piece of text, at its position in its transcript.

    Times are on the meeting's clock, and null where an imported text has none.
    """

    # For the description, and the test that compares it with what `shown_segments` writes.

    id = serializers.UUIDField()
    transcript = serializers.UUIDField()
    recording = serializers.UUIDField(allow_null=True)
    position = serializers.IntegerField()
    speaker = serializers.CharField(allow_null=True)
    start_ms = serializers.IntegerField(allow_null=True)
    end_ms = serializers.IntegerField(allow_null=True)
    text = serializers.CharField()
    confidence = serializers.FloatField(allow_null=True)
    words = WordSerializer(many=True)


def shown_segments(
    rows: Iterable[Mapping[str, Any]], transcripts: Sequence[Transcript]
) -> list[dict[str, Any]]:
    """Rows of `queries.segment_rows` in the shape of SegmentSerializer, ready for orjson.

    A serializer would take several times as long as reading the rows, and pages hold many.
    """
    of = {row.id: (row.recording_id, row.clock_offset_ms) for row in transcripts}
    return [_shown_segment(row, *of[row["transcript_id"]]) for row in rows]


def _shown_segment(
    row: Mapping[str, Any], recording_id: UUID | None, offset_ms: int
) -> dict[str, Any]:
    start_ms, end_ms = row["start_ms"], row["end_ms"]
    return {
        "id": row["id"],
        "transcript": row["transcript_id"],
        "recording": recording_id,
        "position": row["position"],
        "speaker": row["speaker_label"],
        "start_ms": None if start_ms is None else start_ms + offset_ms,
        "end_ms": None if end_ms is None else end_ms + offset_ms,
        "text": row["text"],
        "confidence": row["confidence"],
        "words": [
            {
                "start_ms": start + offset_ms,
                "end_ms": end + offset_ms,
                "text": text,
                "probability": probability,
            }
            for start, end, text, probability in orjson.loads(row["words_json"])
        ],
    }


class SegmentPages(CursorPages):
    """Pages of a text of several transcripts. A cursor names a segment, as other lists' do.

    So it stays valid while a recording is transcribed: its segments are read by those who have not
    come to their place yet.
    """

    list_name = "meetings.text"

    def paginate_text(self, text: queries.Text, request: Any) -> list[dict[str, Any]]:
        """The segments of a page, shown. Raises InvalidCursor and InvalidPageSize."""
        self.request = request
        size = size_from(request.query_params.get(self.size_parameter))
        cursor = request.query_params.get(self.cursor_parameter)
        start, is_backwards = 0, False
        if cursor is not None:
            text, start, is_backwards = self._begun(text, cursor)
        first = max(start - size, 0) if is_backwards else start
        last = min(start if is_backwards else start + size, text.segment_count)
        rows = queries.segments_between(text, first, last)
        has_next, has_previous = last < text.segment_count, first > 0
        self.page = Page(
            rows,
            self._cursor(rows[-1], backwards=False) if rows and has_next else None,
            self._cursor(rows[0], backwards=True) if rows and has_previous else None,
        )
        return shown_segments(rows, text.transcripts)

    def _begun(self, text: queries.Text, cursor: str) -> tuple[queries.Text, int, bool]:
        """The text as its reader has begun it, and the index that the page starts or ends at."""
        values, is_backwards = read_cursor(cursor, of=self.list_name)
        transcript_id, position = UUID(values[0]), int(values[1])
        try:
            text = queries.text_with(text, transcript_id)
        except queries.TranscriptNotReady:
            raise InvalidCursor from None  # of another meeting, or of a recording deleted since
        index = text.index_of(transcript_id, position)
        return text, index if is_backwards else index + 1, is_backwards

    def _cursor(self, row: Mapping[str, Any], *, backwards: bool) -> str:
        values = (str(row["transcript_id"]), str(row["position"]))
        return write_cursor(Cursor(values, backwards), of=self.list_name)


class SegmentPageSerializer(serializers.Serializer[Any]):
    """A page of segments, in the order they were spoken."""

    results = SegmentSerializer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class MeetingTranscriptSerializer(serializers.Serializer[Any]):
    """The text of a meeting: its transcripts in order, `transcript` being the first of them.

    `recordings_not_included` are those whose own text is still to come, or could not be made.
    """

    transcript = TranscriptSerializer()
    transcripts = TranscriptSerializer(many=True)
    recordings_not_included = serializers.ListField(child=serializers.UUIDField())
    segments = SegmentPageSerializer()


class SentSegmentSerializer(StrictSerializer):
    """A segment. Give both times or neither."""

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
    """A transcript, its segments in the order they were spoken."""

    language = serializers.CharField(
        max_length=20,
        required=False,
        allow_blank=True,
        validators=[check_language],
        help_text="Such as `en`. Default: the language of the meeting.",
    )
    replaces = serializers.ChoiceField(
        choices=[(each.value, each.value) for each in Replaced],
        required=False,
        help_text=(
            "The parts of the meeting that this text counts instead of: its recordings, the texts "
            "sent in before, or all. When it is left out, the text is one more part."
        ),
    )
    segments = serializers.ListField(
        child=SentSegmentSerializer(), allow_empty=False, max_length=MOST_SEGMENTS
    )

    def validate_replaces(self, name: str) -> Replaced:
        return Replaced(name)


class ImportedTranscriptSerializer(serializers.Serializer[Any]):
    """The imported transcript, the analysis of the meeting that includes it, and its job."""

    transcript = TranscriptSerializer()
    analysis = AnalysisHeadSerializer()
    job = JobSerializer(source="analysis.job")
