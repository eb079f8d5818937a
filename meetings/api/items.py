"""The shapes of what an analysis found."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.accounts.models import User
from core.http.serializers import StrictBooleanField, StrictSerializer, VisibleRelatedField
from core.jobs.serializers import JobErrorSerializer, JobSerializer
from meetings.analysis.findings import SENTENCES, Note
from meetings.api.people import PersonSerializer
from meetings.models import (
    ActionItem,
    Analysis,
    AnalysisSection,
    AnalysisStatus,
    Decision,
    Evidence,
    Meeting,
    Segment,
    Summary,
    Topic,
)
from meetings.models.analysis import SECTIONS
from meetings.models.item import CHOSEN


class EvidenceSerializer(serializers.ModelSerializer[Evidence]):
    """A quote with its speaker, recording, and time on the meeting's clock.

    `verified`: the segment contains it letter by letter.
    """

    segment = serializers.PrimaryKeyRelatedField[Segment](read_only=True, allow_null=True)
    recording = serializers.UUIDField(source="recording_id", read_only=True, allow_null=True)
    speaker = serializers.CharField(read_only=True, allow_null=True)
    start_ms = serializers.IntegerField(read_only=True, allow_null=True)

    class Meta:
        model = Evidence
        fields = ("segment", "recording", "speaker", "start_ms", "quote", "verified")
        read_only_fields = fields


class SummarySerializer(serializers.ModelSerializer[Summary]):
    """The summary of a meeting."""

    evidence = EvidenceSerializer(many=True, read_only=True)

    class Meta:
        model = Summary
        fields = ("id", "text", "evidence")
        read_only_fields = fields


class TopicSerializer(serializers.ModelSerializer[Topic]):
    """A topic, from its first segment to its last; times are on the meeting's clock."""

    start_ms = serializers.IntegerField(read_only=True, allow_null=True)
    end_ms = serializers.IntegerField(read_only=True, allow_null=True)
    first_segment = serializers.PrimaryKeyRelatedField[Segment](read_only=True, allow_null=True)
    last_segment = serializers.PrimaryKeyRelatedField[Segment](read_only=True, allow_null=True)
    evidence = EvidenceSerializer(many=True, read_only=True)

    class Meta:
        model = Topic
        fields = (
            "id",
            "title",
            "position",
            "first_segment",
            "last_segment",
            "start_ms",
            "end_ms",
            "evidence",
        )
        read_only_fields = fields


class DecisionSerializer(serializers.ModelSerializer[Decision]):
    """A decision. `confidence` is that of the analysis, 0 to 1."""

    meeting = serializers.PrimaryKeyRelatedField[Meeting](read_only=True)
    analysis = serializers.PrimaryKeyRelatedField[Analysis](read_only=True)
    evidence = EvidenceSerializer(many=True, read_only=True)

    class Meta:
        model = Decision
        fields: tuple[str, ...] = (
            "id",
            "meeting",
            "analysis",
            "text",
            "confidence",
            "status",
            "evidence",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class ActionItemSerializer(serializers.ModelSerializer[ActionItem]):
    """A task that came out of a meeting.

    `owner_name` is the name as spoken, `owner` the member with that name if known. `due_phrase`
    holds the words of the due date, `due_on` the day they mean.
    """

    meeting = serializers.PrimaryKeyRelatedField[Meeting](read_only=True)
    analysis = serializers.PrimaryKeyRelatedField[Analysis](read_only=True)
    owner = PersonSerializer(read_only=True, allow_null=True)
    evidence = EvidenceSerializer(many=True, read_only=True)

    class Meta:
        model = ActionItem
        fields = (
            "id",
            "meeting",
            "analysis",
            "text",
            "owner",
            "owner_name",
            "due_on",
            "due_phrase",
            "confidence",
            "status",
            "completed_at",
            "evidence",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class MemberField(VisibleRelatedField):
    """A member of the actor's organization, named by the user's id."""

    def get_queryset(self) -> Any:
        actor = getattr(self.context.get("request"), "actor", None)
        if actor is None:
            return User.objects.none()
        return User.objects.filter(memberships__organization=actor.organization)


class DecisionChangeSerializer(StrictSerializer):
    """Changes to a decision."""

    text = serializers.CharField(max_length=5000, required=False)
    status = serializers.ChoiceField(choices=CHOSEN, required=False)

    def to_representation(self, instance: Decision) -> Any:
        return DecisionSerializer(instance, context=self.context).data


class ActionItemChangeSerializer(StrictSerializer):
    """Changes to an action item."""

    text = serializers.CharField(max_length=5000, required=False)
    owner = MemberField(queryset=User.objects.all(), required=False, allow_null=True)
    owner_name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    due_on = serializers.DateField(required=False, allow_null=True)
    status = serializers.ChoiceField(choices=CHOSEN, required=False)
    completed = StrictBooleanField(required=False)

    def to_representation(self, instance: ActionItem) -> Any:
        return ActionItemSerializer(instance, context=self.context).data


class NoteSerializer(serializers.Serializer[Any]):
    """A limit of this analysis: a stable code and a message."""

    code = serializers.CharField()
    message = serializers.CharField()


class AnalysisSectionSerializer(serializers.ModelSerializer[AnalysisSection]):
    """One section of an analysis: status, turns used of all, notes and error."""

    status = serializers.ChoiceField(
        choices=AnalysisStatus.choices, source="current_status", read_only=True
    )
    notes = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()

    class Meta:
        model = AnalysisSection
        fields = ("section", "status", "turns_used", "turns_total", "notes", "error")
        read_only_fields = fields

    @extend_schema_field(NoteSerializer(many=True))
    def get_notes(self, section: AnalysisSection) -> list[dict[str, str]]:
        known = {note.value: SENTENCES[note] for note in Note}
        return [{"code": code, "message": known.get(code, "")} for code in section.notes]

    @extend_schema_field(JobErrorSerializer(allow_null=True))
    def get_error(self, section: AnalysisSection) -> dict[str, Any] | None:
        return JobErrorSerializer(section).data if section.error_code else None


class AnalysisHeadSerializer(serializers.ModelSerializer[Analysis]):
    """An analysis of the transcripts of a meeting; `transcript` is the first of them."""

    meeting = serializers.PrimaryKeyRelatedField[Meeting](read_only=True)
    transcript = serializers.SerializerMethodField()
    transcripts = serializers.ListField(
        source="transcript_ids", child=serializers.UUIDField(), read_only=True
    )
    status = serializers.ChoiceField(
        choices=AnalysisStatus.choices, source="current_status", read_only=True
    )

    class Meta:
        model = Analysis
        fields: tuple[str, ...] = (
            "id",
            "meeting",
            "transcript",
            "transcripts",
            "version",
            "engine",
            "language",
            "status",
            "created_at",
        )
        read_only_fields: tuple[str, ...] = fields

    def get_transcript(self, analysis: Analysis) -> UUID | None:
        return next(iter(analysis.transcript_ids), None)


class InsightSerializer(serializers.Serializer[Any]):
    """An analysis with all its findings.

    Items that people confirmed, dismissed or edited in an earlier analysis are included.
    `recordings_not_included` are recordings of the meeting of which it has read no text.
    """

    analysis = AnalysisHeadSerializer()
    recordings_not_included = serializers.ListField(child=serializers.UUIDField())
    job = JobSerializer(source="analysis.job", allow_null=True)
    sections = AnalysisSectionSerializer(many=True)
    summary = SummarySerializer(allow_null=True)
    topics = TopicSerializer(many=True)
    decisions = DecisionSerializer(many=True)
    action_items = ActionItemSerializer(many=True)


class AnalysisRequestSerializer(StrictSerializer):
    """The section to run again; without one, a new analysis of all sections."""

    section = serializers.ChoiceField(choices=SECTIONS, required=False)


class RequestedAnalysisSerializer(serializers.Serializer[Any]):
    """The new analysis, or the one that is already running."""

    analysis = AnalysisHeadSerializer(source="*")
    job = JobSerializer(allow_null=True)
