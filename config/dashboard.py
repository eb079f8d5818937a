"""The staff pages' front: every page in a group that says what it is for."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.urls import reverse

# By label of the model; what is not named here goes to the last group.
GROUPS = {
    "Meetings": (
        "meetings.Meeting",
        "meetings.Recording",
        "meetings.Transcript",
        "meetings.Analysis",
        "meetings.Decision",
        "meetings.ActionItem",
    ),
    "Webhooks": (
        "webhooks.Endpoint",
        "webhooks.Delivery",
        "webhooks.DeliveryAttempt",
        "webhooks.InboundSource",
        "webhooks.InboundMessage",
    ),
    "Background work": (
        "core.Job",
        "core.DeadLetter",
        "core.Event",
        "django_celery_results.TaskResult",
    ),
    "People": (
        "core.Organization",
        "core.Team",
        "core.User",
        "core.Membership",
        "core.ApiKey",
        "core.Notification",
        "core.NotificationPreference",
    ),
    "Security": ("core.SecurityEvent",),
}
OTHERS = "Machinery"


class StaffSite(AdminSite):
    """Django's admin under our name, its front page grouped by use instead of by package."""

    site_header = site_title = "Minutebook"
    index_title = "Staff"

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The groups the person may see something of; an app's own page is as Django has it."""
        apps = super().get_app_list(request, app_label)
        if app_label is not None:
            return apps
        pages = {page["model"]._meta.label: page for app in apps for page in app["models"]}
        groups = {
            name: [pages.pop(label) for label in labels if label in pages]
            for name, labels in GROUPS.items()
        }
        groups[OTHERS] = list(pages.values())
        return [_group(name, found) for name, found in groups.items() if found]


def _group(name: str, pages: list[Any]) -> dict[str, Any]:
    """A group in the shape of an app, as Django's templates expect it."""
    return {
        "name": name,
        "app_label": name.lower().replace(" ", "-"),
        "app_url": reverse("admin:index"),
        "has_module_perms": True,
        "models": pages,
    }
