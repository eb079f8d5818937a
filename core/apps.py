"""The app as Django knows it."""

from __future__ import annotations

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        from core import checks, subscribers, tasks  # noqa: F401, PLC0415
        from core.accounts import failed_sign_ins, sessions  # noqa: F401, PLC0415
        from core.secrets import refusals  # noqa: F401, PLC0415
