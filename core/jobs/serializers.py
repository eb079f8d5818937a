"""Background work as its owners watch it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.jobs import queries as job_queries
from core.jobs.models import Job


class JobErrorSerializer(serializers.Serializer[Any]):
    """Why the last attempt failed."""

    code = serializers.CharField(source="error_code")
    sentence = serializers.CharField(source="error_sentence")


class JobSerializer(serializers.ModelSerializer[Job]):
    """A job: how far it is, what it is doing, and why it failed if it did."""

    progress = serializers.SerializerMethodField()
    step = serializers.SerializerMethodField()
    attempts = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()

    class Meta:
        model = Job
        fields: tuple[str, ...] = (
            "id",
            "kind",
            "status",
            "progress",
            "step",
            "attempts",
            "max_attempts",
            "error",
            "subject_id",
            "created_at",
            "started_at",
            "ended_at",
        )
        read_only_fields: tuple[str, ...] = fields

    def get_attempts(self, job: Job) -> int:
        """A job that waits for its children is still in the attempt that made them."""
        return job.attempts + job.is_waiting

    def get_progress(self, job: Job) -> float:
        return job_queries.shown_progress(job)

    def get_step(self, job: Job) -> str:
        """What it is doing or waiting for, for people to read: the words may change."""
        return job_queries.shown_step(job)

    @extend_schema_field(JobErrorSerializer(allow_null=True))
    def get_error(self, job: Job) -> dict[str, Any] | None:
        return JobErrorSerializer(job).data if job.error_code else None


class WatchedJobSerializer(JobSerializer):
    """A job as those see it who wait for it."""

    estimated_seconds_left = serializers.SerializerMethodField()

    class Meta(JobSerializer.Meta):
        fields = (*JobSerializer.Meta.fields, "estimated_seconds_left")
        read_only_fields = fields

    def get_estimated_seconds_left(self, job: Job) -> int | None:
        """From what the last jobs of the kind took; null when that is unknown or it has ended."""
        return job_queries.seconds_left(job)
