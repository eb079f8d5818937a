"""Staff pages of inbound messages; bodies are never shown."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from core import errors
from core.staff import formatting
from core.staff.filters import ByOrganization
from core.staff.read_only import ReadOnlyAdmin
from webhooks.models import InboundMessage
from webhooks.queries import inbound_messages as queries
from webhooks.services import inbound_messages

NOT_SHOWN = "Not shown: it belongs to the customer."
NOT_KEPT = "Deleted."


@admin.register(InboundMessage)
class InboundMessageAdmin(ReadOnlyAdmin):
    list_display = (
        "message_id",
        "type",
        "of_source",
        "organization",
        "received_at",
        "state",
        "work",
        "size",
    )
    list_filter = (
        ("handled_at", admin.EmptyFieldListFilter),
        "source__scheme",
        "created_at",
        ByOrganization,
    )
    list_select_related = ("organization", "source", "job")
    search_fields = ("=id", "=message_id", "=source__id", "=type")
    search_help_text = "The id of a message, ours or its sender's, of its source; or a type."
    date_hierarchy = "created_at"
    actions = ("handle_again",)
    fieldsets = (
        (None, {"fields": ("of_source", "organization", "type", "message_id", "object_id")}),
        ("Processing", {"fields": ("received_at", "state", "work", "handled_at")}),
        ("Content", {"fields": ("content_type", "size", "is_kept")}),
        (
            "Technical details",
            {"classes": ("collapse",), "fields": ("id", "signed_hash", "created_at")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboundMessage]:
        """Without the bodies, which may be large."""
        rows: QuerySet[InboundMessage] = queries.with_body_flag(super().get_queryset(request))
        return rows

    @admin.display(description="source")
    def of_source(self, message: InboundMessage) -> str:
        return formatting.link(message.source)

    @admin.display(description="state")
    def state(self, message: InboundMessage) -> str:
        """Whether the message was published."""
        if message.handled_at is not None:
            return formatting.label("good", "handled")
        return formatting.label("idle", "waiting")

    @admin.display(description="job")
    def work(self, message: InboundMessage) -> str:
        job = message.job
        return (
            formatting.link(job, formatting.status(job.status, job.error_code))
            if job
            else formatting.NOTHING
        )

    @admin.display(description="size", ordering="size_bytes")
    def size(self, message: InboundMessage) -> str:
        return formatting.size(message.size_bytes)

    @admin.display(description="body")
    def is_kept(self, message: InboundMessage) -> str:
        """Whether the body is still stored."""
        return NOT_SHOWN if getattr(message, "has_body", False) else NOT_KEPT

    @admin.action(description="Handle again")
    def handle_again(self, request: HttpRequest, chosen: QuerySet[InboundMessage]) -> None:
        done = 0
        for message in chosen:
            try:
                inbound_messages.handle_again(message=message)
                done += 1
            except errors.DomainError as refusal:
                self.message_user(request, f"{message}: {refusal.detail}", messages.WARNING)
        if done:
            self.message_user(request, f"{done} will be handled again.", messages.SUCCESS)
