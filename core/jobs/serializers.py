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
    message = serializers.CharField(source="error_message")


class JobSerializer(serializers.ModelSerializer[Job]):
    """Background work, with its status, progress and error."""

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
        """The number of the present attempt, 0 before the first."""
        return job.attempts + job.is_waiting

    def get_progress(self, job: Job) -> float:
        return job_queries.shown_progress(job)

    def get_step(self, job: Job) -> str:
        """What the job is doing or waiting for, for people. The words may change."""
        return job_queries.shown_step(job)

    @extend_schema_field(JobErrorSerializer(allow_null=True))
    def get_error(self, job: Job) -> dict[str, Any] | None:
        return JobErrorSerializer(job).data if job.error_code else None


class WatchedJobSerializer(JobSerializer):
    """A job with an estimate of the time left."""

    estimated_seconds_left = serializers.SerializerMethodField()

    class Meta(JobSerializer.Meta):
        fields = (*JobSerializer.Meta.fields, "estimated_seconds_left")
        read_only_fields = fields

    def get_estimated_seconds_left(self, job: Job) -> int | None:
        """From recent jobs of the same kind; null if unknown or after the end."""
        return job_queries.seconds_left(job)
