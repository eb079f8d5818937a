"""Staff pages of endpoints."""

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
    """Filters endpoints by state."""

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
        "subscribed_to",
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
        ("Subscription", {"fields": ("subscribed_to", "rate_limit_per_second")}),
        ("Last deliveries", {"fields": ("log",)}),
        (
            "Health",
            {"fields": ("last_success_at", "failing_since", "failures_in_a_row", "paused_until")},
        ),
        (
            "Technical details",
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

    @admin.display(description="explanation")
    def explanation(self, endpoint: Endpoint) -> str:
        return explanations.of_endpoint(endpoint, now=database_now())

    @admin.display(description="address")
    def address(self, endpoint: Endpoint) -> str:
        """The URL without its query, which may contain a token."""
        address, _, query = endpoint.url.partition("?")
        return f"{address}?..." if query else address

    @admin.display(description="subscribed to")
    def subscribed_to(self, endpoint: Endpoint) -> str:
        return ", ".join(endpoint.event_types)

    @admin.display(description="newest first")
    def log(self, endpoint: Endpoint) -> SafeString:
        """The newest deliveries with their explanations, and a link to all."""
        newest, now = queries.newest_of(endpoint, SHOWN_DELIVERIES), database_now()
        rows = format_html_join(
            "",
            "<tr><td>{}</td><td>{}</td><td>{}</td><td class='wide'>{}</td></tr>",
            (
                (
                    f"{delivery.created_at:%Y-%m-%d %H:%M:%S}",
                    formatting.link(delivery, delivery.event_type),
                    formatting.status(delivery.status),
                    explanations.of_delivery(delivery, now=now),
                )
                for delivery in newest
            ),
        )
        chosen = {"organization": endpoint.organization_id, "endpoint__id__exact": endpoint.id}
        address = reverse("admin:webhooks_delivery_changelist", query=chosen)
        return format_html(
            '<div class="related-rows"><table>{}</table></div><a href="{}">All deliveries</a>',
            rows,
            address,
        )

    @admin.action(description="Send undelivered events of the last 14 days again")
    def recover(self, request: HttpRequest, chosen: QuerySet[Endpoint]) -> None:
        since = database_now() - queries.REPLAYABLE_FOR
        self.act(
            request,
            chosen,
            lambda endpoint: delivery_services.recover(endpoint=endpoint, since=since),
            "Deliveries sent again: {}.",
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
            endpoint = endpoint_services.disable_endpoint(endpoint=endpoint, reason=reason)
            return int(not endpoint.is_enabled)

        self.act(request, chosen, disable, "{} disabled.")
