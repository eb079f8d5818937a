"""Jobs as staff see them: read-only rows, with requeue and cancel as the only acts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Count, F, Func, IntegerField, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core import errors
from core.admin.load import load_now
from core.jobs import queries as job_queries
from core.jobs import services as jobs
from core.jobs.models import DeadLetter, Job, JobAttempt, JobStatus, JobStep
from core.staff import formatting
from core.staff.filters import ByKind, ByOrganization, ByPart, ByQueue
from core.staff.read_only import ReadOnlyAdmin, ReadOnlyInline


class AttemptInline(ReadOnlyInline):
    model = JobAttempt
    verbose_name_plural = "attempts"
    fields = ("number", "how", "worker", "started_at", "took", "error_code", "error")
    readonly_fields = ("number", "how", "took", "error")
    ordering = ("token",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(read_at=Now())

    @admin.display(description="claim")
    def number(self, attempt: JobAttempt) -> int:
        return attempt.token

    @admin.display(description="outcome")
    def how(self, attempt: JobAttempt) -> str:
        return formatting.status(attempt.outcome)

    @admin.display(description="took")
    def took(self, attempt: Any) -> str:
        return formatting.between(attempt.started_at, attempt.ended_at, now=attempt.read_at)

    @admin.display(description="error")
    def error(self, attempt: JobAttempt) -> str:
        return formatting.folded(attempt.error_detail)


class StepInline(ReadOnlyInline):
    """Names and sizes only: an output may hold what was said in a meeting."""

    model = JobStep
    verbose_name_plural = "steps kept for the next attempt"
    fields = readonly_fields = ("name", "created_at", "output_size")
    ordering = ("created_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        length = Func(F("output"), function="pg_column_size", output_field=IntegerField())
        return super().get_queryset(request).defer("output").annotate(output_bytes=length)

    @admin.display(description="kept output")
    def output_size(self, step: Any) -> str:
        return formatting.size(step.output_bytes)


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = (
        "kind",
        "how",
        "organization",
        "tries",
        "created_at",
        "took",
    )
    list_filter: ClassVar[Any] = (
        "status",
        ByPart,
        ByQueue,
        ByKind,
        "created_at",
        ByOrganization,
    )
    list_select_related = ("organization", "team", "requested_by", "parent")
    search_fields = ("=id", "=subject_id", "=request_id", "=dedup_key", "=error_code")
    search_help_text = "The id of a job, of what it is about or of its request; or an error code."
    inlines = (AttemptInline, StepInline)
    actions = ("requeue", "cancel", "put_first")
    fieldsets = (
        (None, {"fields": ("how", "error_message", "tries", "waited", "took")}),
        (
            "What it is about",
            {"fields": ("about", "organization", "team", "requested_by", "arguments_shown")},
        ),
        ("Parts", {"fields": ("parent_job", "children")}),
        (
            "When",
            {"fields": ("created_at", "run_at", "started_at", "ended_at", "cancel_requested_at")},
        ),
        (
            "Machinery",
            {
                "classes": ("collapse",),
                "fields": (
                    "id",
                    "queue",
                    "priority",
                    "dedup_key",
                    "request_id",
                    "subject_id",
                    "lease_owner",
                    "lease_token",
                    "lease_until",
                    "dispatched_at",
                    "dispatch_count",
                ),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(read_at=Now())

    def action_applies(self, action: str, job: Job) -> bool:
        if action == "requeue":
            return job.has_ended and job.may_become(JobStatus.QUEUED)
        return not job.has_ended

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list, under a picture of what the queues are doing."""
        shown = {"load": load_now()} if request.method == "GET" else {}
        return super().changelist_view(request, {**shown, **(extra_context or {})})

    @admin.display(description="status", ordering="status")
    def how(self, job: Job) -> str:
        """With how far it is while it runs, and with the reason when it ended badly."""
        if job.status != JobStatus.RUNNING:
            shown = formatting.status(job.status)
            return format_html("{} {}", shown, job.error_code) if job.error_code else shown
        return formatting.status(job.status, f"{job.progress:.0%} {job_queries.shown_step(job)}")

    @admin.display(description="attempts", ordering="attempts")
    def tries(self, job: Job) -> str:
        return f"{job.attempts} of {job.max_attempts}"

    @admin.display(description="waited")
    def waited(self, job: Any) -> str:
        return formatting.between(job.created_at, job.started_at or job.ended_at, now=job.read_at)

    @admin.display(description="took")
    def took(self, job: Any) -> str:
        return formatting.between(job.started_at, job.ended_at, now=job.read_at)

    @admin.display(description="about")
    def about(self, job: Job) -> str:
        return formatting.named_rows(job.arguments)

    @admin.display(description="arguments")
    def arguments_shown(self, job: Job) -> str:
        return formatting.as_json(job.arguments)

    @admin.display(description="part of")
    def parent_job(self, job: Job) -> str:
        return formatting.link(job.parent)

    @admin.display(description="parts")
    def children(self, job: Job) -> SafeString | str:
        """The number of children by status, in one query."""
        counted = job.children.values_list("status").annotate(Count("id")).order_by("status")
        words = ", ".join(f"{number} {status}" for status, number in counted)
        if not words:
            return formatting.NOTHING
        address = f"{reverse('admin:core_job_changelist')}?parent__id__exact={job.id}"
        return format_html('<a href="{}">{}</a>', address, words)

    @admin.action(description="Queue again")
    def requeue(self, request: HttpRequest, chosen: QuerySet[Job]) -> None:
        self._act(request, chosen, jobs.requeue_job, "queued again")

    @admin.action(description="Cancel")
    def cancel(self, request: HttpRequest, chosen: QuerySet[Job]) -> None:
        self._act(request, chosen, jobs.cancel_job, "cancelled")

    @admin.action(description="Put before others")
    def put_first(self, request: HttpRequest, chosen: QuerySet[Job]) -> None:
        self._act(request, chosen, jobs.raise_priority, "put before others")

    def _act(
        self,
        request: HttpRequest,
        chosen: QuerySet[Job],
        act: Callable[..., Job],
        participle: str,
    ) -> None:
        done = 0
        for job in chosen:
            try:
                act(job=job)
                done += 1
            except errors.DomainError as refusal:
                self.message_user(request, f"{job}: {refusal.detail}", messages.WARNING)
        if done:
            self.message_user(request, f"{done} {participle}.", messages.SUCCESS)


@admin.register(DeadLetter)
class DeadLetterAdmin(JobAdmin):
    """The jobs whose attempts are used up."""

    list_filter: ClassVar[Any] = (ByQueue, ByKind, "created_at", ByOrganization)
