"""The app as Django knows it."""

from __future__ import annotations

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "webhooks"

    def ready(self) -> None:
        from core.accounts import scopes  # noqa: PLC0415
        from core.accounts.models import Role  # noqa: PLC0415
        from webhooks import checks, subscribers, tasks  # noqa: F401, PLC0415

        # Deliveries contain data of the meetings of all teams.
        admins = {"reads": Role.ADMIN, "writes": Role.ADMIN}
        scopes.register_scope(
            "webhooks", description="Endpoints, deliveries and inbound messages", **admins
        )
