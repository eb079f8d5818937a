"""Staff pages of deliveries."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest

from core.staff import formatting
from core.staff.actions import ActingAdmin
from core.staff.filters import ByOrganization, by
from webhooks.admin.attempts import AttemptInline
from webhooks.models import Delivery, Endpoint
from webhooks.queries import catalogue, explanations
from webhooks.services import deliveries as delivery_services

ByEventType = by("event_type", lambda: [kind.name for kind in catalogue.catalogue()])


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
        ("Content", {"fields": ("event_type", "of_event", "body_shown")}),
        ("Times", {"fields": ("created_at", "next_attempt_at", "ended_at")}),
        (
            "Technical details",
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
        """Search ids as UUIDs, by index: Django's search compares them as texts, row by row."""
        try:
            sought = UUID(search_term.strip())
        except ValueError:
            return super().get_search_results(request, queryset, search_term)
        if Endpoint.objects.filter(id=sought).exists():
            return queryset.filter(endpoint=sought), False
        return queryset.filter(Q(id=sought) | Q(event=sought)), False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # The database's time, read once for all explanations of a page.
        return super().get_queryset(request).annotate(read_at=Now())

    def action_applies(self, _action: str, delivery: Delivery) -> bool:
        return delivery.has_ended

    @admin.display(description="status", ordering="status")
    def how(self, delivery: Delivery) -> str:
        return formatting.status(delivery.status)

    @admin.display(description="explanation")
    def explanation(self, delivery: Delivery) -> str:
        return explanations.of_delivery(delivery, now=delivery.read_at)  # type: ignore[attr-defined]

    @admin.display(description="endpoint")
    def to(self, delivery: Delivery) -> str:
        return formatting.link(delivery.endpoint)

    @admin.display(description="event")
    def of_event(self, delivery: Delivery) -> str:
        return formatting.link(delivery.event)

    @admin.display(description="body")
    def body_shown(self, delivery: Delivery) -> str:
        """The signed bytes, shortened."""
        return formatting.cut(delivery.body)

    @admin.action(description="Send again")
    def redeliver(self, request: HttpRequest, chosen: QuerySet[Delivery]) -> None:
        def replay(delivery: Delivery) -> int:
            return int(not delivery_services.replay_delivery(delivery=delivery).has_ended)

        self.act(request, chosen, replay, "Sent again: {}.")
