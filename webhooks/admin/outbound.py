"""Webhooks as staff see them: where events go, how each delivery fares and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core import errors
from core.admin import cells
from core.admin.logs import ReadOnlyAdmin, ReadOnlyInline
from core.admin.narrowing import ByOrganization, by
from core.db.clock import now
from webhooks.models import Delivery, DeliveryAttempt, DisabledReason, Endpoint
from webhooks.queries import catalogue, explanations
from webhooks.queries import deliveries as queries
from webhooks.services import deliveries as delivery_services
from webhooks.services import endpoints as endpoint_services

ByEventType = by("event_type", lambda: [kind.name for kind in catalogue.catalogue()])
SHOWN_DELIVERIES = 20
LONGEST_ANSWER = 500  # characters, in a row beside others


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


class ActingAdmin(ReadOnlyAdmin):
    """Actions that may be refused for some of the chosen rows."""

    def act(
        self,
        request: HttpRequest,
        chosen: QuerySet[Any],
        act: Callable[[Any], int],
        told: str,
    ) -> None:
        """Do it to each; `told` says how many things were done."""
        done = 0
        for row in chosen:
            try:
                done += act(row)
            except errors.Refusal as refusal:
                self.message_user(request, f"{row}: {refusal.detail}", messages.WARNING)
        self.message_user(request, told.format(done), messages.SUCCESS if done else messages.INFO)


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
        ("What it hears", {"fields": ("hears_of", "rate_limit_per_second")}),
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

    @admin.display(description="state")
    def state(self, endpoint: Endpoint) -> str:
        if endpoint.deleted_at is not None:
            return cells.label("off", "deleted")
        if not endpoint.is_enabled:
            return cells.label("off", f"disabled: {endpoint.get_disabled_reason_display().lower()}")
        if endpoint.failing_since is not None:
            return cells.label("warn", "failing")
        return cells.label("good", "enabled")

    @admin.display(description="what is going on")
    def explanation(self, endpoint: Endpoint) -> str:
        return explanations.of_endpoint(endpoint)

    @admin.display(description="address")
    def address(self, endpoint: Endpoint) -> str:
        """Without its query, where many keep a token."""
        address, _, query = endpoint.url.partition("?")
        return f"{address}?..." if query else address

    @admin.display(description="hears of")
    def hears_of(self, endpoint: Endpoint) -> str:
        return ", ".join(endpoint.event_types)

    @admin.display(description="newest first")
    def log(self, endpoint: Endpoint) -> SafeString:
        """The newest deliveries, each with a sentence, and the way to all of them."""
        newest = queries.newest_of(endpoint, SHOWN_DELIVERIES)
        rows = format_html_join(
            "",
            "<tr><td>{}</td><td>{}</td><td>{}</td><td class='wide'>{}</td></tr>",
            (
                (
                    f"{one.created_at:%Y-%m-%d %H:%M:%S}",
                    cells.link(one, one.event_type),
                    cells.status(one.status),
                    explanations.of_delivery(one),
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

    @admin.action(description="Recover what was given up in the last 14 days")
    def recover(self, request: HttpRequest, chosen: QuerySet[Endpoint]) -> None:
        since = now() - queries.REPLAYABLE_FOR
        self.act(
            request,
            chosen,
            lambda endpoint: delivery_services.recover(endpoint=endpoint, since=since),
            "{} deliveries are owed again.",
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


class AttemptInline(ReadOnlyInline):
    model = DeliveryAttempt
    verbose_name_plural = "attempts"
    fields = ("number", "started_at", "took", "what", "address", "answer")
    readonly_fields = ("took", "what", "answer")
    ordering = ("number",)

    @admin.display(description="took")
    def took(self, attempt: DeliveryAttempt) -> str:
        return cells.milliseconds(attempt.duration_ms)

    @admin.display(description="what happened")
    def what(self, attempt: DeliveryAttempt) -> SafeString:
        return _told(attempt)

    @admin.display(description="beginning of the answer")
    def answer(self, attempt: DeliveryAttempt) -> str:
        return cells.cut(attempt.excerpt, LONGEST_ANSWER)


@admin.register(Delivery)
class DeliveryAdmin(ActingAdmin):
    list_display = ("event_type", "how", "explanation", "to", "created_at")
    list_filter = ("status", ByEventType, "created_at", ByOrganization)
    list_select_related = ("organization", "endpoint", "event")
    search_fields = ("=id", "=event__id", "=endpoint__id", "=last_error_kind")
    search_help_text = "The id of a delivery, its event or its endpoint; or a kind of error."
    inlines = (AttemptInline,)
    actions = ("redeliver",)
    fieldsets = (
        (None, {"fields": ("how", "explanation", "to", "organization")}),
        ("What is sent", {"fields": ("event_type", "of_event", "body_shown")}),
        ("When", {"fields": ("created_at", "next_attempt_at", "ended_at")}),
        (
            "Machinery",
            {
                "classes": ("collapse",),
                "fields": (
                    "id",
                    "attempt_count",
                    "last_status_code",
                    "last_error_kind",
                    "lease_until",
                    "lease_token",
                ),
            },
        ),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Ids as the indexes know them: the usual way compares texts, row by row."""
        try:
            sought = UUID(search_term.strip())
        except ValueError:
            return super().get_search_results(request, queryset, search_term)
        if Endpoint.objects.filter(id=sought).exists():
            return queryset.filter(endpoint=sought), False
        return queryset.filter(Q(id=sought) | Q(event=sought)), False

    @admin.display(description="status", ordering="status")
    def how(self, delivery: Delivery) -> str:
        return cells.status(delivery.status)

    @admin.display(description="what is going on")
    def explanation(self, delivery: Delivery) -> str:
        return explanations.of_delivery(delivery)

    @admin.display(description="endpoint")
    def to(self, delivery: Delivery) -> str:
        return cells.link(delivery.endpoint)

    @admin.display(description="event")
    def of_event(self, delivery: Delivery) -> str:
        return cells.link(delivery.event)

    @admin.display(description="body")
    def body_shown(self, delivery: Delivery) -> str:
        """The bytes that are signed."""
        return cells.cut(delivery.body)

    @admin.action(description="Deliver again")
    def redeliver(self, request: HttpRequest, chosen: QuerySet[Delivery]) -> None:
        def replay(delivery: Delivery) -> int:
            return int(not delivery_services.replay_delivery(delivery=delivery).has_ended)

        self.act(request, chosen, replay, "{} are owed again.")


@admin.register(DeliveryAttempt)
class DeliveryAttemptAdmin(ReadOnlyAdmin):
    list_display = ("started_at", "what", "of", "organization", "number", "took", "address")
    list_filter = ("started_at", ByOrganization)
    list_select_related = ("organization", "delivery")
    search_fields = ("=id", "=delivery__id", "=error_kind", "=address")
    search_help_text = "The id of an attempt or its delivery, a kind of error, or an address."
    fields = ("what", "of", "organization", "number", "started_at", "took", "address", "answer")

    @admin.display(description="what happened")
    def what(self, attempt: DeliveryAttempt) -> SafeString:
        return _told(attempt)

    @admin.display(description="delivery")
    def of(self, attempt: DeliveryAttempt) -> str:
        return cells.link(attempt.delivery, attempt.delivery.event_type)

    @admin.display(description="took")
    def took(self, attempt: DeliveryAttempt) -> str:
        return cells.milliseconds(attempt.duration_ms)

    @admin.display(description="beginning of the answer")
    def answer(self, attempt: DeliveryAttempt) -> str:
        return cells.cut(attempt.excerpt)


def _told(attempt: DeliveryAttempt) -> SafeString:
    """A sign and a sentence."""
    sign = (
        cells.label("bad", attempt.error_kind) if attempt.error_kind else cells.status("succeeded")
    )
    return format_html("{} {}", sign, explanations.of_attempt(attempt))
