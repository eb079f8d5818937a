"""Where events go, as staff see it: how sending fares and why."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core.db.clock import database_now
from core.staff import formatting
from core.staff.actions import ActingAdmin
from core.staff.filters import ByOrganization
from webhooks.models import DisabledReason, Endpoint
from webhooks.queries import deliveries as queries
from webhooks.queries import explanations
from webhooks.services import deliveries as delivery_services
from webhooks.services import endpoints as endpoint_services

SHOWN_DELIVERIES = 20


class ByState(admin.SimpleListFilter):
    """Endpoints by whether and how events are sent to them."""

    title = parameter_name = "state"
    states: dict[str, dict[str, Any]] = {
        "enabled": {"disabled_at": None},
        "failing": {"disabled_at": None, "failing_since__isnull": False},
        "disabled": {"disabled_at__isnull": False, "deleted_at": None},
        "deleted": {"deleted_at__isnull": False},
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(state, state.capitalize()) for state in self.states]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**self.states.get(self.value() or "", {}))


@admin.register(Endpoint)
class EndpointAdmin(ActingAdmin):
    list_display = (
        "name",
        "state",
        "organization",
        "hears_of",
        "last_success_at",
        "failing_since",
    )
    list_filter = (ByState, "disabled_reason", "created_at", ByOrganization)
    list_select_related = ("organization",)
    search_fields = ("=id", "description", "url")
    search_help_text = "The id of an endpoint, its description or a part of its address."
    actions = ("recover", "enable", "disable")
    fieldsets = (
        (None, {"fields": ("state", "explanation", "organization", "address", "description")}),
        ("What it subscribes_to", {"fields": ("hears_of", "rate_limit_per_second")}),
        ("Its last deliveries", {"fields": ("log",)}),
        (
            "How sending fares",
            {"fields": ("last_success_at", "failing_since", "failures_in_a_row", "paused_until")},
        ),
        (
            "Machinery",
            {
                "classes": ("collapse",),
                "fields": (
                    "id",
                    "next_slot_at",
                    "disabled_at",
                    "disabled_reason",
                    "deleted_at",
                    "created_at",
                ),
            },
        ),
    )

    def action_applies(self, action: str, endpoint: Endpoint) -> bool:
        return action == "recover" or endpoint.is_enabled == (action == "disable")

    @admin.display(description="state")
    def state(self, endpoint: Endpoint) -> str:
        if endpoint.deleted_at is not None:
            return formatting.label("off", "deleted")
        if not endpoint.is_enabled:
            return formatting.label(
                "off", f"disabled: {endpoint.get_disabled_reason_display().lower()}"
            )
        if endpoint.failing_since is not None:
            return formatting.label("warn", "failing")
        return formatting.label("good", "enabled")

    @admin.display(description="what is going on")
    def explanation(self, endpoint: Endpoint) -> str:
        return explanations.of_endpoint(endpoint, now=database_now())

    @admin.display(description="address")
    def address(self, endpoint: Endpoint) -> str:
        """Without its query, where many keep a token."""
        address, _, query = endpoint.url.partition("?")
        return f"{address}?..." if query else address

    @admin.display(description="subscribes_to of")
    def hears_of(self, endpoint: Endpoint) -> str:
        return ", ".join(endpoint.event_types)

    @admin.display(description="newest first")
    def log(self, endpoint: Endpoint) -> SafeString:
        """The newest deliveries, each with a sentence, and the way to all of them."""
        newest, moment = queries.newest_of(endpoint, SHOWN_DELIVERIES), database_now()
        rows = format_html_join(
            "",
            "<tr><td>{}</td><td>{}</td><td>{}</td><td class='wide'>{}</td></tr>",
            (
                (
                    f"{one.created_at:%Y-%m-%d %H:%M:%S}",
                    formatting.link(one, one.event_type),
                    formatting.status(one.status),
                    explanations.of_delivery(one, now=moment),
                )
                for one in newest
            ),
        )
        chosen = {"organization": endpoint.organization_id, "endpoint__id__exact": endpoint.id}
        address = reverse("admin:webhooks_delivery_changelist", query=chosen)
        return format_html(
            '<div class="related-rows"><table>{}</table></div><a href="{}">All of them</a>',
            rows,
            address,
        )

    @admin.action(description="Recover what was given up or failed in the last 14 days")
    def recover(self, request: HttpRequest, chosen: QuerySet[Endpoint]) -> None:
        since = database_now() - queries.REPLAYABLE_FOR
        self.act(
            request,
            chosen,
            lambda endpoint: delivery_services.recover(endpoint=endpoint, since=since),
            "Deliveries owed again: {}.",
        )

    @admin.action(description="Enable")
    def enable(self, request: HttpRequest, chosen: QuerySet[Endpoint]) -> None:
        def enable(endpoint: Endpoint) -> int:
            return int(endpoint_services.enable_endpoint(endpoint=endpoint).is_enabled)

        self.act(request, chosen, enable, "{} enabled.")

    @admin.action(description="Disable")
    def disable(self, request: HttpRequest, chosen: QuerySet[Endpoint]) -> None:
        def disable(endpoint: Endpoint) -> int:
            reason = DisabledReason.BY_HAND
            held = endpoint_services.disable_endpoint(endpoint=endpoint, reason=reason)
            return int(not held.is_enabled)

        self.act(request, chosen, disable, "{} disabled.")
