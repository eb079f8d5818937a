"""A file made from a meeting."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.db import models

from core.accounts.visibility import TeamLimitedQuerySet
from core.db.rows import OrganizationModel
from core.jobs.models import ENDED, JobStatus
from exports.renderers.formats import NAMES


class ExportStatus(models.TextChoices):
    """Queued and running come from the job; only what it came to is stored."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


STATUS_OF_JOB = {
    JobStatus.QUEUED: ExportStatus.QUEUED,
    JobStatus.RUNNING: ExportStatus.RUNNING,
    JobStatus.SUCCEEDED: ExportStatus.SUCCEEDED,
    JobStatus.FAILED: ExportStatus.FAILED,
    JobStatus.DEAD: ExportStatus.FAILED,
    JobStatus.CANCELLED: ExportStatus.CANCELLED,
}


class ExportQuerySet(TeamLimitedQuerySet):
    team_path = "meeting__team"

    def visible_to(self, actor: Any) -> Self:
        """Those of the meetings that the actor may see; of a deleted meeting nothing is shown."""
        return super().visible_to(actor).filter(meeting__isnull=False)


class Export(OrganizationModel):
    """A meeting at one revision in one format, made by a job and kept until `expires_at`.

    `fingerprint` is the same for the same file: revision, format, options, template version.
    `meeting` is null once that is deleted, until the stored file is let go. `notes` hold what
    somebody should know about the file: see `exports.renderers.notes`.
    """

    meeting = models.ForeignKey(
        "meetings.Meeting", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    requested_by = models.ForeignKey(
        "core.User", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    job = models.ForeignKey("core.Job", null=True, on_delete=models.SET_NULL, related_name="+")
    stored_file = models.ForeignKey(
        "core.StoredFile", null=True, on_delete=models.PROTECT, related_name="+"
    )
    format = models.CharField(max_length=8, choices=[(name, name) for name in NAMES])
    options: models.JSONField[Any, Any] = models.JSONField(default=dict)
    revision = models.PositiveIntegerField()
    template_version = models.CharField(max_length=20)
    fingerprint = models.CharField(max_length=64)
    status = models.CharField(max_length=10, choices=ExportStatus, default=ExportStatus.QUEUED)
    error_code = models.CharField(max_length=80, blank=True)
    error_message = models.CharField(max_length=500, blank=True)
    filename = models.CharField(max_length=200, blank=True)
    notes: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()

    objects: ClassVar[Any] = ExportQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=("organization", "-created_at", "-id"), name="export_newest"),
            models.Index(fields=("meeting", "fingerprint"), name="export_same"),
            models.Index(fields=("expires_at",), name="export_expiry"),
        )

    def __str__(self) -> str:
        return f"{self.format} {self.id}"

    @property
    def current_status(self) -> ExportStatus:
        """What it came to; until then, or while it is tried again, what its job says. Needs `job`.

        A job is kept for a while only: unsettled work without one has failed.
        """
        if self.status != ExportStatus.QUEUED and not self._is_open:
            return ExportStatus(self.status)
        if self.job is None:
            return ExportStatus.FAILED
        return STATUS_OF_JOB[JobStatus(self.job.status)]

    @property
    def is_ready(self) -> bool:
        """Whether there is a file to fetch."""
        return self.status == ExportStatus.SUCCEEDED and self.stored_file_id is not None

    @property
    def is_at_work(self) -> bool:
        """Whether a file is still to come: nobody has asked its job to stop. Needs `job`."""
        return self._is_open and self.job is not None and self.job.cancel_requested_at is None

    @property
    def _is_open(self) -> bool:
        """Whether its job is at work, and has not made the file yet."""
        if self.job is None or self.stored_file_id is not None:
            return False
        return self.job.status not in ENDED
