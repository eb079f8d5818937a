"""The shapes of meetings, recordings and transcripts as clients see them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.accounts.models import Team, User
from core.http.serializers import StrictModelSerializer, VisibleRelatedField
from core.jobs.serializers import JobSerializer
from meetings.models import Meeting, Recording, Segment, Transcript


class PersonSerializer(serializers.ModelSerializer[User]):
    """A user as others in the organization see one."""

    class Meta:
        model = User
        fields = ("id", "name", "email")


class MeetingSerializer(StrictModelSerializer):
    """A meeting in a list."""

    organizer = PersonSerializer(read_only=True)
    team = VisibleRelatedField(queryset=Team.objects.all(), required=False, allow_null=True)
    tags = serializers.ListField(
        child=serializers.CharField(max_length=60), max_length=50, required=False
    )

    class Meta:
        model = Meeting
        fields: tuple[str, ...] = (
            "id",
            "title",
            "status",
            "starts_at",
            "ends_at",
            "platform",
            "language",
            "tags",
            "team",
            "organizer",
            "revision",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("id", "revision", "created_at", "updated_at")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        starts = attrs.get("starts_at", getattr(self.instance, "starts_at", None))
        ends = attrs.get("ends_at", getattr(self.instance, "ends_at", None))
        if starts and ends and ends < starts:
            raise serializers.ValidationError({"ends_at": "A meeting ends after it starts."})
        return attrs


class RecordingSerializer(serializers.ModelSerializer[Recording]):
    """A recording, with the job that transcribes it."""

    meeting = serializers.PrimaryKeyRelatedField[Meeting](read_only=True)
    size_bytes = serializers.IntegerField(source="stored_file.size_bytes", read_only=True)
    sha256 = serializers.CharField(source="stored_file.sha256", read_only=True)
    job = JobSerializer(read_only=True, allow_null=True)

    class Meta:
        model = Recording
        fields = (
            "id",
            "meeting",
            "position",
            "filename",
            "media_type",
            "codec",
            "language",
            "duration_ms",
            "channels",
            "sample_rate",
            "size_bytes",
            "sha256",
            "job",
            "created_at",
        )
        read_only_fields = fields


class MeetingDetailSerializer(MeetingSerializer):
    """A meeting by itself, with its recordings."""

    recordings = RecordingSerializer(many=True, read_only=True)

    class Meta(MeetingSerializer.Meta):
        fields = (*MeetingSerializer.Meta.fields, "recordings")


class AcceptedRecordingSerializer(serializers.Serializer[Any]):
    """The answer to an upload."""

    recording = RecordingSerializer()
    job = JobSerializer(source="recording.job", allow_null=True)
    duplicate = serializers.BooleanField(source="is_duplicate")


class RetriedRecordingSerializer(serializers.Serializer[Any]):
    """The answer to a retry: the recording and its new, or still active, job."""

    recording = RecordingSerializer(source="*")
    job = JobSerializer(allow_null=True)


class UploadFormSerializer(serializers.Serializer[Any]):
    """The multipart form of an upload, for the schema only: the body is read as a stream."""

    file = serializers.FileField()
    filename = serializers.CharField(required=False, max_length=255)
    language = serializers.CharField(required=False, max_length=20)


class TranscriptSerializer(serializers.ModelSerializer[Transcript]):
    """One version of a recording's text, without the text itself."""

    recording = serializers.PrimaryKeyRelatedField[Recording](read_only=True)

    class Meta:
        model = Transcript
        fields = (
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
            "created_at",
        )
        read_only_fields = fields


class WordSerializer(serializers.Serializer[Any]):
    """A word and when it was said; `probability` is the engine's, 0 to 1."""

    start_ms = serializers.IntegerField()
    end_ms = serializers.IntegerField()
    text = serializers.CharField()
    probability = serializers.FloatField()


class SegmentSerializer(serializers.ModelSerializer[Segment]):
    """A timed piece of text."""

    words = serializers.SerializerMethodField()

    class Meta:
        model = Segment
        fields = ("id", "position", "start_ms", "end_ms", "text", "confidence", "words")
        read_only_fields = fields

    @extend_schema_field(WordSerializer(many=True))
    def get_words(self, segment: Segment) -> list[dict[str, Any]]:
        names = ("start_ms", "end_ms", "text", "probability")
        return [dict(zip(names, word, strict=True)) for word in segment.words]


class SegmentPageSerializer(serializers.Serializer[Any]):
    """A page of segments in the order they were spoken."""

    results = SegmentSerializer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class MeetingTranscriptSerializer(serializers.Serializer[Any]):
    """The text of a meeting."""

    transcript = TranscriptSerializer()
    segments = SegmentPageSerializer()
