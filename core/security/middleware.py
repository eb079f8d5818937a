"""Keeps security events that a request recorded inside a transaction which it then rolled back."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from core.security.services import kept_past_rollback


class SecurityEvents:
    """Stands right inside `RequestLog`, outside of everything that opens a transaction."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with kept_past_rollback():
            return self.get_response(request)
