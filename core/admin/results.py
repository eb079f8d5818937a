"""What Celery itself has kept of its tasks: a log, so nobody adds or changes rows by hand."""

from __future__ import annotations

from django.contrib import admin
from django_celery_results.models import GroupResult, TaskResult

from core.staff import formatting
from core.staff.read_only import ReadOnlyAdmin

admin.site.unregister(GroupResult)  # no task is sent in a group: a job's children are jobs
admin.site.unregister(TaskResult)


@admin.register(TaskResult)
class TaskResultAdmin(ReadOnlyAdmin):
    list_display = ("task_id", "task_name", "how", "worker", "date_created", "took")
    list_filter = ("status", "date_created")
    search_fields = ("=task_id", "=task_name")
    search_help_text = "The id or the name of a task."
    fields = ("task_id", "task_name", "how", "worker", "date_created", "took", "outcome", "trace")

    @admin.display(description="status", ordering="status")
    def how(self, result: TaskResult) -> str:
        tones = {"SUCCESS": "good", "STARTED": "busy", "FAILURE": "bad", "REVOKED": "off"}
        return formatting.label(tones.get(result.status, "idle"), result.status.lower())

    @admin.display(description="took")
    def took(self, result: TaskResult) -> str:
        return formatting.between(result.date_started, result.date_done, now=result.date_done)

    @admin.display(description="result")
    def outcome(self, result: TaskResult) -> str:
        return formatting.cut(result.result or "")

    @admin.display(description="traceback")
    def trace(self, result: TaskResult) -> str:
        return formatting.folded(result.traceback or "")
