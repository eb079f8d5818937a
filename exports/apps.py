"""The app as Django knows it."""

from __future__ import annotations

from django.apps import AppConfig


class ExportsConfig(AppConfig):
    name = "exports"

    def ready(self) -> None:
        from core.accounts import scopes  # noqa: PLC0415
        from exports import checks, subscribers, tasks  # noqa: F401, PLC0415

        scopes.declare("exports", meaning="Files made from meetings")
