"""One id and one log line for every request."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse

from core.monitoring.requests import bound_to_request, request_id_from

log = structlog.get_logger("http.request")

HEADER = "X-Request-ID"


class RequestLog:
    """The outermost middleware: names the request, answers its id, logs how it went.

    The line carries the route's pattern instead of the path, and no query string: paths hold ids
    and queries hold signatures.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = request_id_from(request.headers.get(HEADER))
        started = time.perf_counter()
        with bound_to_request(request_id):
            response = self.get_response(request)
            response[HEADER] = request_id
            self._log(request, response, (time.perf_counter() - started) * 1000)
        return response

    def _log(self, request: HttpRequest, response: HttpResponse, ms: float) -> None:
        write = log.warning if response.status_code >= 500 else log.info
        write(
            "request",
            method=request.method,
            route=_route_of(request),
            status=response.status_code,
            ms=round(ms, 1),
            **_who_asked(request),
        )


def _route_of(request: HttpRequest) -> str:
    match = request.resolver_match
    return f"/{match.route}" if match else "unmatched"


def _who_asked(request: HttpRequest) -> dict[str, Any]:
    """Ids only; what authentication left on the request is read without knowing its type."""
    actor = getattr(request, "auth", None)
    found = {
        "user_id": getattr(getattr(actor, "user", None), "pk", None),
        "organization_id": getattr(getattr(actor, "organization", None), "pk", None),
        "api_key_id": getattr(actor, "api_key_id", None),
    }
    return {name: str(value) for name, value in found.items() if value}
