"""Staff pages of delivery attempts."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.staff import formatting
from core.staff.filters import ByOrganization
from core.staff.read_only import ReadOnlyAdmin, ReadOnlyInline
from webhooks.models import DeliveryAttempt
from webhooks.queries import explanations

MAX_ANSWER_LENGTH = 500  # characters, in a row beside others


class AttemptInline(ReadOnlyInline):
    model = DeliveryAttempt
    verbose_name_plural = "attempts"
    fields = ("number", "started_at", "duration", "result", "address", "answer")
    readonly_fields = ("duration", "result", "answer")
    ordering = ("number",)

    @admin.display(description="duration")
    def duration(self, attempt: DeliveryAttempt) -> str:
        return formatting.milliseconds(attempt.duration_ms)

    @admin.display(description="result")
    def result(self, attempt: DeliveryAttempt) -> SafeString:
        return _labelled_message(attempt)

    @admin.display(description="beginning of the answer")
    def answer(self, attempt: DeliveryAttempt) -> str:
        return formatting.cut(attempt.excerpt, MAX_ANSWER_LENGTH)


@admin.register(DeliveryAttempt)
class DeliveryAttemptAdmin(ReadOnlyAdmin):
    list_display = ("started_at", "result", "of", "organization", "number", "duration", "address")
    list_filter = ("started_at", ByOrganization)
    list_select_related = ("organization", "delivery")
    search_fields = ("=id", "=delivery__id", "=error_kind", "=address")
    search_help_text = "The id of an attempt or its delivery, a kind of error, or an address."
    fields = (
        "result",
        "of",
        "organization",
        "number",
        "started_at",
        "duration",
        "address",
        "answer",
    )

    @admin.display(description="result")
    def result(self, attempt: DeliveryAttempt) -> SafeString:
        return _labelled_message(attempt)

    @admin.display(description="delivery")
    def of(self, attempt: DeliveryAttempt) -> str:
        return formatting.link(attempt.delivery, attempt.delivery.event_type)

    @admin.display(description="duration")
    def duration(self, attempt: DeliveryAttempt) -> str:
        return formatting.milliseconds(attempt.duration_ms)

    @admin.display(description="beginning of the answer")
    def answer(self, attempt: DeliveryAttempt) -> str:
        return formatting.cut(attempt.excerpt)


def _labelled_message(attempt: DeliveryAttempt) -> SafeString:
    """A label and a message."""
    sign = (
        formatting.label("bad", attempt.error_kind)
        if attempt.error_kind
        else formatting.status("succeeded")
    )
    return format_html("{} {}", sign, explanations.of_attempt(attempt))
