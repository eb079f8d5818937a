"""The shapes of meetings and recordings as clients see them."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Any, ClassVar
from uuid import UUID

from django.urls import reverse
from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.accounts.models import Team
from core.files.links import Link, create_link
from core.http.address import public_url
from core.http.serializers import DateTimeField, StrictModelSerializer, VisibleRelatedField
from core.jobs.models import JobStatus
from core.jobs.serializers import JobSerializer
from meetings import queries
from meetings.api.items import InsightSerializer
from meetings.api.people import (
    MOST_PARTICIPANTS,
    ParticipantListSerializer,
    ParticipantSerializer,
    PersonInMeetingSerializer,
    PersonSerializer,
)
from meetings.api.transcripts import SegmentSerializer, TranscriptSerializer, shown_segments
from meetings.models import Meeting, Recording, Transcript
from meetings.models.meeting import is_zone, zone_named

# What a time of a meeting may be: the ends of the calendar have no date in some time zones.
FIRST_YEAR, LAST_YEAR = 1900, 2999


def check_year(moment: datetime) -> None:
    """Refuse a slip of the keyboard."""
    if not FIRST_YEAR <= moment.astimezone(UTC).year <= LAST_YEAR:
        raise serializers.ValidationError(f"Give a year from {FIRST_YEAR} to {LAST_YEAR}.")


class MeetingTimeField(DateTimeField):
    """A time of a meeting; one without a zone is read where the meeting is held."""

    parent: MeetingSerializer

    @property
    def zone(self) -> tzinfo:
        return zone_named(self.parent.zone_names[0])


class MeetingSerializer(StrictModelSerializer):
    """A meeting."""

    starts_at = MeetingTimeField(required=False, allow_null=True, validators=[check_year])
    ends_at = MeetingTimeField(required=False, allow_null=True, validators=[check_year])

    organizer = PersonSerializer(read_only=True)
    team = VisibleRelatedField(queryset=Team.objects.all(), required=False, allow_null=True)
    tags = serializers.ListField(
        child=serializers.CharField(max_length=60), max_length=50, required=False
    )

    participants = ParticipantListSerializer(
        child=ParticipantSerializer(),
        required=False,
        max_length=MOST_PARTICIPANTS,
        help_text="People who are invited or took part. A change replaces the whole list.",
    )

    class Meta:
        model = Meeting
        fields: tuple[str, ...] = (
            "id",
            "title",
            "status",
            "starts_at",
            "ends_at",
            "time_zone",
            "platform",
            "language",
            "tags",
            "team",
            "organizer",
            "participants",
            "revision",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("id", "revision", "created_at", "updated_at")
        extra_kwargs: ClassVar[Any] = {
            "time_zone": {
                "help_text": "Where it is held: an IANA name, or an offset such as `+02:00`. "
                "Unless given, that of `starts_at` or else the organization's."
            }
        }

    @property
    def zone_names(self) -> list[str]:
        """The zones in which the meeting may be held, the likeliest first."""
        given = self.initial_data.get("time_zone")
        known = [self.instance.time_zone] if isinstance(self.instance, Meeting) else []
        named = [given] if isinstance(given, str) and is_zone(given) else known
        return [*named, self.context["request"].actor.organization.time_zone]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        starts = attrs.get("starts_at", getattr(self.instance, "starts_at", None))
        ends = attrs.get("ends_at", getattr(self.instance, "ends_at", None))
        if starts and ends and ends < starts:
            raise serializers.ValidationError({"ends_at": "A meeting ends after it starts."})
        if attrs.get("starts_at") and "time_zone" not in attrs:
            attrs["time_zone"] = self._zone_of_start(attrs["starts_at"])
        return attrs

    def _zone_of_start(self, starts_at: datetime) -> str:
        """A known zone with the offset that the start was given with, or that offset.

        UTC is no offset: many programs write every time in it, wherever they run.
        """
        given = parse_datetime(str(self.initial_data["starts_at"]))
        offset = given.isoformat()[-6:] if given and given.utcoffset() else ""
        if given is None or not is_zone(offset):
            return self.zone_names[0]
        for name in self.zone_names:
            if starts_at.astimezone(zone_named(name)).utcoffset() == given.utcoffset():
                return name
        return offset


class RecordingSerializer(serializers.ModelSerializer[Recording]):
    """A recording, with the job that transcribes it.

    `offset_ms` is where it begins on the meeting's clock. `replaced_by` is the imported
    text that counts instead of it.
    """

    # Needs `request` and `moment` (the database's time) in its context, for the link to the file.

    meeting = serializers.PrimaryKeyRelatedField[Meeting](read_only=True)
    replaced_by = serializers.PrimaryKeyRelatedField[Transcript](read_only=True, allow_null=True)
    size_bytes = serializers.IntegerField(source="stored_file.size_bytes", read_only=True)
    sha256 = serializers.CharField(source="stored_file.sha256", read_only=True)
    status = serializers.SerializerMethodField(help_text="How its transcription stands.")
    job = JobSerializer(read_only=True, allow_null=True)
    download_url = serializers.SerializerMethodField(
        help_text="Downloads the file without an API key, until `expires_at`. "
        "Null when an answer is repeated for an Idempotency-Key."
    )
    expires_at = serializers.SerializerMethodField(
        help_text="When `download_url` ends; null with it."
    )

    class Meta:
        model = Recording
        fields = (
            "id",
            "meeting",
            "position",
            "started_at",
            "offset_ms",
            "replaced_by",
            "filename",
            "media_type",
            "codec",
            "language",
            "duration_ms",
            "channels",
            "sample_rate",
            "size_bytes",
            "sha256",
            "status",
            "job",
            "download_url",
            "expires_at",
            "created_at",
        )
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=JobStatus.choices))
    def get_status(self, recording: Recording) -> str:
        # `job` may be newer than `status_now`: a retry has just replaced it.
        return recording.job.status if recording.job else recording.status_now  # type: ignore[attr-defined]

    def get_download_url(self, recording: Recording) -> str | None:
        token = self._link_to(recording).token
        path = reverse("recording-file", kwargs={"recording_id": recording.id, "token": token})
        return public_url(path)

    def get_expires_at(self, recording: Recording) -> datetime | None:
        return self._link_to(recording).expires_at

    def _link_to(self, recording: Recording) -> Link:
        return create_link(
            recording,
            stored_file_id=recording.stored_file_id,
            moment=self.context["moment"],
        )


class ShownTranscriptSerializer(TranscriptSerializer):
    """The first transcript of a meeting, with the first hundred segments of all of them."""

    segments = SegmentSerializer(many=True)

    class Meta(TranscriptSerializer.Meta):
        fields = (*TranscriptSerializer.Meta.fields, "segments")
        read_only_fields = fields


class MeetingDetailSerializer(MeetingSerializer):
    """A meeting with its recordings, people, text and findings.

    `transcripts` are the parts of its text in order. `recordings_not_included` have no text
    yet, or their transcription failed.
    """

    recordings = RecordingSerializer(many=True, read_only=True)
    people = serializers.SerializerMethodField()
    transcript = serializers.SerializerMethodField()
    transcripts = serializers.SerializerMethodField()
    recordings_not_included = serializers.SerializerMethodField()
    analysis = serializers.SerializerMethodField()

    class Meta(MeetingSerializer.Meta):
        fields = (
            *MeetingSerializer.Meta.fields,
            "recordings",
            "people",
            "transcript",
            "transcripts",
            "recordings_not_included",
            "analysis",
        )

    def to_representation(self, instance: Meeting) -> Any:
        self.detail = queries.detail_of(instance)
        return super().to_representation(instance)

    @extend_schema_field(PersonInMeetingSerializer(many=True))
    def get_people(self, meeting: Meeting) -> Any:
        people = queries.people_in(meeting, self.detail.speakers)
        return PersonInMeetingSerializer(people, many=True).data

    @extend_schema_field(ShownTranscriptSerializer(allow_null=True))
    def get_transcript(self, _meeting: Meeting) -> dict[str, Any] | None:
        transcripts = self.detail.text.transcripts
        if not transcripts:
            return None
        segments = shown_segments(self.detail.segments, transcripts)
        return {**TranscriptSerializer(transcripts[0]).data, "segments": segments}

    @extend_schema_field(TranscriptSerializer(many=True))
    def get_transcripts(self, _meeting: Meeting) -> Any:
        return TranscriptSerializer(self.detail.text.transcripts, many=True).data

    def get_recordings_not_included(self, _meeting: Meeting) -> list[UUID]:
        return self.detail.text.recordings_not_included

    @extend_schema_field(InsightSerializer(allow_null=True))
    def get_analysis(self, _meeting: Meeting) -> dict[str, Any] | None:
        insight = self.detail.insight
        return InsightSerializer(insight).data if insight else None


class AcceptedRecordingSerializer(serializers.Serializer[Any]):
    """The uploaded recording and its job."""

    recording = RecordingSerializer()
    job = JobSerializer(source="recording.job", allow_null=True)
    duplicate = serializers.BooleanField(source="is_duplicate")


class RetriedRecordingSerializer(serializers.Serializer[Any]):
    """The recording and its job."""

    recording = RecordingSerializer(source="*")
    job = JobSerializer(allow_null=True)


class UploadFormSerializer(serializers.Serializer[Any]):
    """A form with one file."""

    # For the description only: the body is read as a stream.

    file = serializers.FileField()
    filename = serializers.CharField(required=False, max_length=255)
    language = serializers.CharField(required=False, max_length=20)
    started_at = DateTimeField(required=False)
