"""Where a request came from, and where people reach this installation."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def client_ip(request: HttpRequest) -> str | None:
    """The address of the peer. Forwarding headers are not believed: anybody can send them."""
    return request.META.get("REMOTE_ADDR") or None


def public_url(path: str) -> str:
    """The address of a path for people and other systems, whatever host and scheme were asked."""
    return f"{settings.PUBLIC_URL}{path}"
