"""Jobs as staff see them: read-only rows, with requeue and cancel as the only acts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from core import errors
from core.admin.logs import ReadOnlyAdmin, ReadOnlyInline
from core.jobs import services as jobs
from core.jobs.models import DeadLetter, Job, JobAttempt, JobStep


class AttemptInline(ReadOnlyInline):
    model = JobAttempt
    fields = ("token", "worker", "outcome", "started_at", "ended_at", "error_code", "error_detail")
    ordering = ("token",)


class StepInline(ReadOnlyInline):
    """Names only: an output may hold what was said in a meeting."""

    model = JobStep
    fields = readonly_fields = ("name", "created_at")
    ordering = ("created_at",)


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = (
        "kind",
        "status",
        "organization",
        "queue",
        "attempts",
        "progress",
        "step",
        "error_code",
        "created_at",
        "ended_at",
    )
    list_filter: ClassVar[tuple[str, ...]] = ("status", "queue", "kind", "error_code")
    list_select_related = ("organization",)
    search_fields = ("=id", "=subject_id", "=request_id", "dedup_key")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    inlines = (AttemptInline, StepInline)
    actions = ("requeue", "cancel")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("organization", "team", "requested_by")

    @admin.action(description="Queue again")
    def requeue(self, request: HttpRequest, chosen: QuerySet[Job]) -> None:
        self._act(request, chosen, jobs.requeue_job, "queued again")

    @admin.action(description="Cancel")
    def cancel(self, request: HttpRequest, chosen: QuerySet[Job]) -> None:
        self._act(request, chosen, jobs.cancel_job, "cancelled")

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
            except errors.Conflict as refusal:
                self.message_user(request, f"{job}: {refusal.detail}", messages.WARNING)
        if done:
            self.message_user(request, f"{done} {participle}.", messages.SUCCESS)


@admin.register(DeadLetter)
class DeadLetterAdmin(JobAdmin):
    """The jobs whose attempts are used up."""

    list_filter: ClassVar[tuple[str, ...]] = ("queue", "kind", "error_code")
