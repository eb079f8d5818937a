"""Jobs, their attempts and the kept output of their finished steps."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from core.accounts.visibility import TeamLimitedQuerySet
from core.db.rows import BaseModel

# How far a job is, of 1, once its children have ended and it goes on itself.
CHILDREN_END_AT = 0.95


class JobStatus(models.TextChoices):
    """`failed`: no use trying again. `dead`: the attempts are used up."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DEAD = "dead"
    CANCELLED = "cancelled"


ACTIVE = (JobStatus.QUEUED, JobStatus.RUNNING)
ENDED = (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.DEAD, JobStatus.CANCELLED)

# A running job goes back to queued for its next attempt; an ended one only when it is requeued.
MOVES: dict[str, frozenset[str]] = {
    JobStatus.QUEUED: frozenset({JobStatus.RUNNING, JobStatus.CANCELLED, JobStatus.DEAD}),
    JobStatus.RUNNING: frozenset({JobStatus.QUEUED, *ENDED}),
    JobStatus.FAILED: frozenset({JobStatus.QUEUED}),
    JobStatus.DEAD: frozenset({JobStatus.QUEUED}),
    JobStatus.CANCELLED: frozenset({JobStatus.QUEUED}),
    JobStatus.SUCCEEDED: frozenset(),
}


class JobQuerySet(TeamLimitedQuerySet):
    def active(self) -> JobQuerySet:
        return self.filter(status__in=ACTIVE)

    def top_level(self) -> JobQuerySet:
        """Jobs that people asked for, without their children."""
        return self.filter(parent=None)


class Job(BaseModel):
    """A unit of background work, visible from the moment it is asked for.

    `arguments` holds ids and small plain values only. `lease_token` grows with every claim and
    fences late writers. A running job without a lease waits for its children. `dispatched_at`
    says that a message for it was sent and not yet taken. `size` is how much there is to do, in a
    unit of its kind, as the length of a recording; estimates rest on it. Times are the database's.
    """

    organization = models.ForeignKey(
        "core.Organization", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    team = models.ForeignKey(
        "core.Team", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    requested_by = models.ForeignKey(
        "core.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    request_id = models.CharField(max_length=64, blank=True)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.CASCADE, related_name="children"
    )
    subject_id = models.UUIDField(null=True, blank=True)

    kind = models.CharField(max_length=80)
    queue = models.CharField(max_length=40)
    status = models.CharField(max_length=10, choices=JobStatus, default=JobStatus.QUEUED)
    priority = models.SmallIntegerField(default=0)
    arguments = models.JSONField(default=dict, blank=True)
    dedup_key = models.CharField(max_length=200, blank=True)
    size = models.FloatField(null=True, blank=True)

    attempts = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField()
    run_at = models.DateTimeField()
    lease_owner = models.CharField(max_length=120, blank=True)
    lease_token = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    dispatched_at = models.DateTimeField(null=True, blank=True)
    dispatch_count = models.PositiveSmallIntegerField(default=0)

    progress = models.FloatField(default=0.0)
    step = models.CharField(max_length=200, blank=True)
    error_code = models.CharField(max_length=80, blank=True)
    error_message = models.CharField(max_length=500, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = JobQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "kind", "dedup_key"),
                condition=Q(status__in=ACTIVE) & ~Q(dedup_key=""),
                nulls_distinct=False,
                name="job_active_dedup",
            ),
        )
        indexes = (
            models.Index(
                fields=("queue", "organization", "-priority", "run_at"),
                name="job_queued",
                condition=Q(status=JobStatus.QUEUED, dispatched_at=None),
            ),
            models.Index(
                fields=("queue", "organization"),
                name="job_dispatched",
                condition=Q(status=JobStatus.QUEUED, dispatched_at__isnull=False),
            ),
            models.Index(
                fields=("lease_until",), name="job_running", condition=Q(status=JobStatus.RUNNING)
            ),
            models.Index(fields=("organization", "-created_at", "-id"), name="job_of_organization"),
            models.Index(fields=("subject_id", "-created_at"), name="job_of_subject"),
            # The history of a kind: how long it takes, and what is old enough to go.
            models.Index(
                fields=("kind", "status", "-ended_at"),
                name="job_ended",
                condition=Q(parent=None, ended_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    @property
    def is_waiting(self) -> bool:
        """Running without a worker: its children are at work."""
        return self.status == JobStatus.RUNNING and self.lease_until is None

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED

    def may_become(self, status: str) -> bool:
        return status in MOVES[self.status]


class AttemptOutcome(models.TextChoices):
    """`lost`: the worker vanished. `released`: handed back at shutdown, not counted.

    `waiting`: for its children, or for storage; not counted either.
    """

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    LOST = "lost"
    RELEASED = "released"
    WAITING = "waiting"
    CANCELLED = "cancelled"


class JobAttempt(BaseModel):
    """One try of a job by one worker, with the error's full text for staff."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="attempt_log")
    token = models.PositiveIntegerField()
    worker = models.CharField(max_length=120)
    outcome = models.CharField(
        max_length=10, choices=AttemptOutcome, default=AttemptOutcome.RUNNING
    )
    error_code = models.CharField(max_length=80, blank=True)
    error_detail = models.TextField(blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("job", "token"), name="job_attempt_token"),)

    def __str__(self) -> str:
        return f"attempt {self.token} of {self.job_id}"


class JobStep(BaseModel):
    """The output of a finished step, kept so that a retry never pays for it twice."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="steps")
    name = models.CharField(max_length=120)
    output: models.JSONField[Any, Any] = models.JSONField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("job", "name"), name="job_step_name"),)

    def __str__(self) -> str:
        return f"{self.name} of {self.job_id}"


class PeriodicRun(models.Model):
    """The last period of a kind's clock for which a job was asked: one row per kind.

    Two ticks for the same period meet here, and one of them moves the row.
    """

    kind = models.CharField(max_length=80, primary_key=True)
    period_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind} {self.period_at:%Y-%m-%d %H:%M}"


class DeadLetterManager(models.Manager[Any]):
    def get_queryset(self) -> models.QuerySet[Any]:
        return super().get_queryset().filter(status=JobStatus.DEAD)


class DeadLetter(Job):
    """A dead job, on a page of its own for staff to requeue."""

    objects: ClassVar[Any] = DeadLetterManager()

    class Meta:
        proxy = True
        verbose_name = "dead letter"
