"""Attempts as staff see them: what was tried, what came of it and what it took."""

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
    fields = ("number", "started_at", "took", "what", "address", "answer")
    readonly_fields = ("took", "what", "answer")
    ordering = ("number",)

    @admin.display(description="took")
    def took(self, attempt: DeliveryAttempt) -> str:
        return formatting.milliseconds(attempt.duration_ms)

    @admin.display(description="what happened")
    def what(self, attempt: DeliveryAttempt) -> SafeString:
        return _told(attempt)

    @admin.display(description="beginning of the answer")
    def answer(self, attempt: DeliveryAttempt) -> str:
        return formatting.cut(attempt.excerpt, MAX_ANSWER_LENGTH)


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
        return formatting.link(attempt.delivery, attempt.delivery.event_type)

    @admin.display(description="took")
    def took(self, attempt: DeliveryAttempt) -> str:
        return formatting.milliseconds(attempt.duration_ms)

    @admin.display(description="beginning of the answer")
    def answer(self, attempt: DeliveryAttempt) -> str:
        return formatting.cut(attempt.excerpt)


def _told(attempt: DeliveryAttempt) -> SafeString:
    """A sign and a sentence."""
    sign = (
        formatting.label("bad", attempt.error_kind)
        if attempt.error_kind
        else formatting.status("succeeded")
    )
    return format_html("{} {}", sign, explanations.of_attempt(attempt))
