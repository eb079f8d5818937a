"""One pass over a meeting's text, and how each of its sections fares."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, F, Q, When

from core.accounts.visibility import TeamLimitedQuerySet
from core.db.rows import OrganizationModel
from core.jobs.models import ACTIVE, Job, JobStatus
from meetings.analysis.findings import Section


class AnalysisStatus(models.TextChoices):
    """`partial`: some sections succeeded and others did not; those can be run again alone."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"


SECTIONS = [(section.value, section.value.replace("_", " ")) for section in Section]

# Work that is not settled fares as its job does. A job that succeeds settles with the same commit:
# where that has not happened, it was another's, and this work was never done.
STATUS_OF_JOB: dict[str, AnalysisStatus] = {
    JobStatus.QUEUED: AnalysisStatus.QUEUED,
    JobStatus.RUNNING: AnalysisStatus.RUNNING,
    JobStatus.SUCCEEDED: AnalysisStatus.FAILED,
    JobStatus.FAILED: AnalysisStatus.FAILED,
    JobStatus.DEAD: AnalysisStatus.FAILED,
    JobStatus.CANCELLED: AnalysisStatus.CANCELLED,
}


def status_now(stored: str, job: Job | None) -> AnalysisStatus:
    """The stored status once the work is settled; until then, or at work again, what its job says.

    Without a job, which is kept for a while only, unsettled work has failed.
    """
    is_settled = stored != AnalysisStatus.QUEUED
    if is_settled and (job is None or job.status not in ACTIVE):
        return AnalysisStatus(stored)
    return STATUS_OF_JOB[job.status] if job else AnalysisStatus.FAILED


def _status_now() -> Case:
    """The same as `status_now`, said to the database."""
    own = (When(Q(job__status=job), then=models.Value(of)) for job, of in STATUS_OF_JOB.items())
    settled = ~Q(status=AnalysisStatus.QUEUED) & (Q(job=None) | ~Q(job__status__in=ACTIVE))
    return Case(
        When(settled, then=F("status")),
        *own,
        default=models.Value(AnalysisStatus.FAILED),
        output_field=models.CharField(),
    )


class StatusNowQuerySet(TeamLimitedQuerySet):
    """Rows whose status is their job's until they are settled."""

    def with_status_now(self) -> StatusNowQuerySet:
        """Adds `status_now`, for lists that are filtered or sorted by it."""
        return self.annotate(status_now=_status_now())


class AnalysisQuerySet(StatusNowQuerySet):
    team_path = "meeting__team"


class AnalysisSectionQuerySet(StatusNowQuerySet):
    team_path = "analysis__meeting__team"


class Analysis(OrganizationModel):
    """One pass of one engine over a meeting's text; versions count per meeting.

    `transcripts` are the versions it reads, chosen when it is requested. `status` is queued until
    the pass is settled: meanwhile `current_status` asks the job.
    """

    meeting = models.ForeignKey(
        "meetings.Meeting", on_delete=models.CASCADE, related_name="analyses", db_index=False
    )
    transcripts: models.ManyToManyField[Any, Any] = models.ManyToManyField(
        "meetings.Transcript", through="meetings.AnalysisTranscript", related_name="analyses"
    )
    job = models.ForeignKey(
        "core.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    version = models.PositiveIntegerField()
    engine = models.CharField(max_length=80)
    language = models.CharField(max_length=20, blank=True)
    status = models.CharField(max_length=10, choices=AnalysisStatus, default=AnalysisStatus.QUEUED)

    objects: ClassVar[Any] = AnalysisQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "analyses"
        constraints = (
            models.UniqueConstraint(fields=("meeting", "version"), name="analysis_version"),
        )

    def __str__(self) -> str:
        return f"analysis {self.version} of {self.meeting_id}"

    @property
    def current_status(self) -> AnalysisStatus:
        """Needs `job`."""
        return status_now(self.status, self.job)

    @property
    def transcript_ids(self) -> list[UUID]:
        """The transcripts it reads, in order, as far as they are not deleted."""
        links = self.transcript_links.all()
        return [link.transcript_id for link in links if link.transcript_id is not None]


class AnalysisTranscript(models.Model):
    """One of the transcripts that an analysis reads, at its place in their order.

    `transcript` is null once that is deleted, so that the analysis is known to be of another text.
    """

    analysis = models.ForeignKey(
        Analysis, on_delete=models.CASCADE, related_name="transcript_links", db_index=False
    )
    transcript = models.ForeignKey(
        "meetings.Transcript",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="analysis_links",
    )
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(
                fields=("analysis", "position"), name="analysis_transcript_position"
            ),
            models.UniqueConstraint(
                fields=("analysis", "transcript"), name="analysis_transcript_once"
            ),
        )

    def __str__(self) -> str:
        return f"transcript {self.transcript_id} of analysis {self.analysis_id}"


class AnalysisSection(OrganizationModel):
    """The outcome of one section: from how many of all turns, what is missing, why it failed.

    `turns_used` and `turns_total` are its coverage, null before it has succeeded. `notes` holds
    values of `meetings.analysis.findings.Note`.
    """

    analysis = models.ForeignKey(
        Analysis, on_delete=models.CASCADE, related_name="sections", db_index=False
    )
    job = models.ForeignKey(
        "core.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    section = models.CharField(max_length=20, choices=SECTIONS)
    status = models.CharField(max_length=10, choices=AnalysisStatus, default=AnalysisStatus.QUEUED)
    turns_used = models.PositiveIntegerField(null=True, blank=True)
    turns_total = models.PositiveIntegerField(null=True, blank=True)
    notes = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    error_code = models.CharField(max_length=80, blank=True)
    error_message = models.CharField(max_length=500, blank=True)

    objects: ClassVar[Any] = AnalysisSectionQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("analysis", "section"), name="analysis_section_once"),
        )

    def __str__(self) -> str:
        return f"{self.section} of {self.analysis_id}"

    @property
    def current_status(self) -> AnalysisStatus:
        """Needs `job`."""
        return status_now(self.status, self.job)
