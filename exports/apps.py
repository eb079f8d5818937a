"""The app as Django knows it."""

from __future__ import annotations

from django.apps import AppConfig


class ExportsConfig(AppConfig):
    name = "exports"

    def ready(self) -> None:
        from core.accounts import scopes  # noqa: PLC0415
        from core.jobs import subjects  # noqa: PLC0415
        from exports import checks, queries, subscribers, tasks  # noqa: F401, PLC0415

        scopes.register_scope("exports", description="Files made from meetings")
        subjects.register_subject(
            "meeting", description="Jobs about a meeting", ids_of=queries.job_subjects
        )
        subjects.describe_by(queries.work_of)
