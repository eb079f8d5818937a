"""The staff pages' front: every page in a group that says what it is for."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, TypeVar

import structlog
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import FieldError, SuspiciousOperation, ValidationError
from django.db import DataError, NotSupportedError, ProgrammingError
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import SimpleTemplateResponse
from django.urls import reverse

log = structlog.get_logger(__name__)

View = TypeVar("View", bound=Callable[..., HttpResponseBase])

# What Django and the database raise for a parameter that they cannot use.
ALWAYS_INPUT = (ValidationError, IncorrectLookupParameters, DataError)
UNREADABLE = (
    *ALWAYS_INPUT,
    ValueError,
    TypeError,
    OverflowError,
    FieldError,
    SuspiciousOperation,
    NotSupportedError,
    ProgrammingError,
)

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

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """A page that ignores the parameters of its address, and says so, if it cannot read them.

        The page without parameters answers instead, so a fault of our own still shows there.
        """

        def readable(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                if ERROR_FLAG in request.GET:  # Django's own mark of an unreadable address
                    raise IncorrectLookupParameters
                response = view(request, *args, **kwargs)
                if getattr(response, "url", "") == f"{request.path}?{ERROR_FLAG}=1":
                    raise IncorrectLookupParameters
                # Some queries run only here.
                return (
                    response.render() if isinstance(response, SimpleTemplateResponse) else response
                )
            except UNREADABLE as error:
                return _without_parameters(request, error)

        guarded: Any = update_wrapper(readable, view)
        wrapped: View = super().admin_view(guarded, cacheable)
        return wrapped

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


def _without_parameters(request: HttpRequest, error: Exception) -> HttpResponseBase:
    """Leads to the same page without its parameters; raises `error` where it may be our own.

    A page without parameters and an action on rows know only the errors in ALWAYS_INPUT as input.
    """
    is_page = request.method == "GET"
    if not (is_page and request.GET) and not isinstance(error, ALWAYS_INPUT):
        raise error
    if is_page and not request.GET:
        raise Http404 from error  # an id in the path
    # Without the value, which may be what people said.
    log.info("admin.unreadable_parameters", path=request.path, error=type(error).__name__)
    names = ", ".join(sorted(request.GET))[:200] or "what was sent"
    messages.warning(request, f"Ignored, because it could not be read: {names}.")
    return HttpResponseRedirect(request.path)


def _group(name: str, pages: list[Any]) -> dict[str, Any]:
    """A group in the shape of an app, as Django's templates expect it."""
    return {
        "name": name,
        "app_label": name.lower().replace(" ", "-"),
        "app_url": reverse("admin:index"),
        "has_module_perms": True,
        "models": pages,
    }
