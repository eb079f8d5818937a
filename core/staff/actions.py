"""Actions of staff that may be refused for some rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest

from core import errors
from core.staff.read_only import ReadOnlyAdmin


class ActingAdmin(ReadOnlyAdmin):
    """Actions that may be refused for some of the chosen rows."""

    def act(
        self,
        request: HttpRequest,
        chosen: QuerySet[Any],
        act: Callable[[Any], int],
        summary: str,
    ) -> None:
        """Call `act` for each row; `summary` is a message with the sum of the results."""
        done = 0
        for row in chosen:
            try:
                done += act(row)
            except errors.DomainError as refusal:
                self.message_user(request, f"{row}: {refusal.detail}", messages.WARNING)
        self.message_user(
            request, summary.format(done), messages.SUCCESS if done else messages.INFO
        )
