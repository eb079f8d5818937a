"""Where a request came from."""

from __future__ import annotations

from django.http import HttpRequest


def client_ip(request: HttpRequest) -> str | None:
    """The address of the peer. Forwarding headers are not believed: anybody can send them."""
    return request.META.get("REMOTE_ADDR") or None
