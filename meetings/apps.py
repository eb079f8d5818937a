"""The app as Django knows it."""

from __future__ import annotations

from django.apps import AppConfig


class MeetingsConfig(AppConfig):
    name = "meetings"

    def ready(self) -> None:
        from core.accounts import scopes  # noqa: PLC0415
        from core.jobs import subjects  # noqa: PLC0415
        from meetings import checks, queries, subscribers, tasks  # noqa: F401, PLC0415

        scopes.register_scope("meetings", description="Meetings, recordings and transcripts")
        subjects.register_subject(
            "meeting", description="Jobs about a meeting", ids_of=queries.job_subjects
        )
        subjects.describe_by(queries.work_of)
