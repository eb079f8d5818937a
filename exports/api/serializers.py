"""The shapes of exports as clients see them."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.http.address import public_url
from core.http.serializers import (
    DateTimeField,
    StrictBooleanField,
    StrictSerializer,
    VisibleRelatedField,
)
from core.jobs import queries as job_queries
from core.jobs.serializers import JobErrorSerializer, JobSerializer
from exports import queries
from exports.models import Export, ExportStatus
from exports.renderers.formats import MEDIA_TYPES, NAMES, SINGLE
from exports.renderers.labels import LANGUAGES, language_for
from exports.renderers.minutes import Section
from exports.renderers.options import Options, PageSize, Table, Timestamps
from meetings.models import Meeting, Recording
from meetings.text.notes import NoteCode

FORMATS = [(name, name) for name in NAMES]
SINGLE_FORMATS = [(name, name) for name in SINGLE]
SECTIONS = [(one.value, one.value) for one in Section]
LABEL_LANGUAGES = [(code, code) for code in LANGUAGES]
TIMESTAMPS = [(one.value, one.value) for one in Timestamps]
PAGE_SIZES = [(one.value, one.value) for one in PageSize]
# What is said before any file was made: more than most take.
UNKNOWN_SECONDS = 5
TABLES = [(one.value, one.value) for one in Table]


class RecordingIdField(VisibleRelatedField):
    """A visible recording, of which options hold the id alone."""

    def to_internal_value(self, data: Any) -> Any:
        return str(super().to_internal_value(data).id)

    def use_pk_only_optimization(self) -> bool:
        return False

    def to_representation(self, value: Any) -> Any:
        return value


class OptionsSerializer(StrictSerializer):
    """Contents and look of a file. Every option has a default."""

    sections = serializers.ListField(
        child=serializers.ChoiceField(choices=SECTIONS),
        required=False,
        allow_empty=False,
        max_length=len(SECTIONS),
        help_text="The sections of the file, in a fixed order. Default: all.",
    )
    speakers = StrictBooleanField(required=False, help_text="Name the speakers.")
    timestamps = serializers.ChoiceField(choices=TIMESTAMPS, required=False)
    merge_turns = StrictBooleanField(
        required=False, help_text="Join consecutive segments of a speaker."
    )
    language = serializers.ChoiceField(
        choices=LABEL_LANGUAGES,
        required=False,
        help_text="The language of headings and labels. Default: that of the meeting, or English.",
    )
    recording = RecordingIdField(
        queryset=Recording.objects.all(),
        required=False,
        allow_null=True,
        help_text="The only recording that the file is about; the whole meeting unless you choose.",
    )
    page_size = serializers.ChoiceField(choices=PAGE_SIZES, required=False)
    include_unverified = StrictBooleanField(
        required=False,
        help_text="Include findings whose quote is not in the transcript.",
    )
    guard_formulas = StrictBooleanField(
        required=False,
        help_text="CSV: put an apostrophe before what a spreadsheet would run as a formula.",
    )
    table = serializers.ChoiceField(
        choices=TABLES, required=False, help_text="CSV: what the rows are."
    )
    formats = serializers.ListField(
        child=serializers.ChoiceField(choices=SINGLE_FORMATS),
        required=False,
        allow_empty=False,
        max_length=len(SINGLE_FORMATS),
        help_text="ZIP: the formats in it.",
    )
    minimum_duration = serializers.FloatField(required=False, min_value=0.1, max_value=10)
    maximum_duration = serializers.FloatField(required=False, min_value=1, max_value=30)
    maximum_characters_per_row = serializers.IntegerField(
        required=False, min_value=16, max_value=120
    )
    maximum_rows_per_caption = serializers.IntegerField(required=False, min_value=1, max_value=4)

    def validate_formats(self, names: list[str]) -> list[str]:
        return list(dict.fromkeys(names))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        chosen = Options.from_json(attrs)
        if chosen.minimum_duration > chosen.maximum_duration:
            raise serializers.ValidationError(
                {"minimum_duration": "The shortest caption is not longer than the longest."}
            )
        return attrs


class ExportCreateSerializer(StrictSerializer):
    """A new export."""

    meeting = VisibleRelatedField(queryset=Meeting.objects.all())
    format = serializers.ChoiceField(choices=FORMATS)
    options = OptionsSerializer(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        recording_id = attrs.get("options", {}).get("recording")
        if recording_id and not attrs["meeting"].recordings.filter(id=recording_id).exists():
            wrong = VisibleRelatedField.default_error_messages["does_not_exist"]
            raise serializers.ValidationError({"options": {"recording": [wrong]}})
        return attrs

    def options_for(self, meeting: Meeting) -> Options:
        """The choices, with labels in the meeting's language where nobody chose."""
        usual = {"language": language_for(meeting.language)}
        return Options.from_json({**usual, **self.validated_data.get("options", {})})


class TextNoteSerializer(serializers.Serializer[Any]):
    """A note on the text: its stable code, and a sentence."""

    code = serializers.ChoiceField(choices=[queries.NOT_INCLUDED, *map(str, NoteCode)])
    message = serializers.CharField()


class NotesSerializer(serializers.Serializer[Any]):
    """Remarks about the file; empty if there are none."""

    missing_characters = serializers.IntegerField(
        required=False, help_text="Characters that no font has, shown as empty boxes."
    )
    people_not_named = serializers.IntegerField(
        required=False,
        help_text="People beyond the first 500 of a list, whom the file counts and does not name.",
    )
    is_accessible = serializers.BooleanField(
        required=False, help_text="False for a PDF that does not conform to PDF/UA-1."
    )
    left_out = serializers.ListField(
        child=serializers.ChoiceField(choices=SINGLE_FORMATS),
        required=False,
        help_text="ZIP: formats that were left out, as captions of a text without times.",
    )
    transcript = TextNoteSerializer(
        many=True,
        required=False,
        help_text="Recordings that are not included yet, and the notes on the transcripts.",
    )


class ExportSerializer(serializers.ModelSerializer[Export]):
    """An export: its status and, once ready, a link to its file."""

    meeting = serializers.PrimaryKeyRelatedField[Meeting](read_only=True)
    format = serializers.ChoiceField(choices=FORMATS, read_only=True)
    options = OptionsSerializer(read_only=True)
    notes = NotesSerializer(read_only=True)
    job = serializers.PrimaryKeyRelatedField[Any](read_only=True, allow_null=True)
    status = serializers.ChoiceField(
        choices=ExportStatus.choices, source="current_status", read_only=True
    )
    progress = serializers.SerializerMethodField()
    step = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()
    media_type = serializers.SerializerMethodField()
    size_bytes = serializers.IntegerField(
        source="stored_file.size_bytes", read_only=True, allow_null=True, default=None
    )
    sha256 = serializers.CharField(
        source="stored_file.sha256", read_only=True, allow_null=True, default=None
    )
    download_url = serializers.SerializerMethodField(
        help_text="Downloads the file without an API key, until `expires_at`."
    )
    expires_at = serializers.SerializerMethodField()
    kept_until = DateTimeField(
        source="expires_at", read_only=True, help_text="When the file is deleted."
    )

    class Meta:
        model = Export
        fields = (
            "id",
            "meeting",
            "format",
            "options",
            "revision",
            "status",
            "progress",
            "step",
            "error",
            "filename",
            "media_type",
            "size_bytes",
            "sha256",
            "notes",
            "download_url",
            "expires_at",
            "kept_until",
            "job",
            "created_at",
            "completed_at",
        )
        read_only_fields = fields

    def get_progress(self, export: Export) -> float:
        if export.status == ExportStatus.SUCCEEDED:
            return 1.0
        return job_queries.shown_progress(export.job) if export.job else 0.0

    def get_step(self, export: Export) -> str:
        return job_queries.shown_step(export.job) if export.job and export.is_at_work else ""

    @extend_schema_field(JobErrorSerializer(allow_null=True))
    def get_error(self, export: Export) -> dict[str, Any] | None:
        """Why it failed; null otherwise."""
        source = export if export.error_code or export.is_ready else export.job
        return JobErrorSerializer(source).data if source and source.error_code else None

    def get_media_type(self, export: Export) -> str:
        return MEDIA_TYPES[export.format]

    def get_download_url(self, export: Export) -> str | None:
        link = queries.link_to(export, self.context["moment"])
        if link is None:
            return None
        path = reverse("export-file", kwargs={"export_id": export.id, "token": link.token})
        return public_url(path)

    @extend_schema_field(
        DateTimeField(allow_null=True, help_text="When the link ends; null without one.")
    )
    def get_expires_at(self, export: Export) -> Any:
        """When the link ends; null without one."""
        link = queries.link_to(export, self.context["moment"])
        return link.expires_at if link else None


class RequestedExportSerializer(serializers.Serializer[Any]):
    """The export with its job."""

    export = ExportSerializer(source="*")
    job = JobSerializer(allow_null=True)
    estimated_seconds = serializers.SerializerMethodField()

    def get_estimated_seconds(self, export: Export) -> int:
        """From recent exports; 0 if the file is ready."""
        if export.is_ready or export.job is None:
            return 0
        (job,) = job_queries.with_estimates([export.job])
        return job_queries.seconds_left(job) or UNKNOWN_SECONDS
