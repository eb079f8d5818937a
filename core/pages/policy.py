"""Headers of the pages that take a password."""

from __future__ import annotations

from django.http import HttpResponse

# Each page is one file with its own style: it loads and runs nothing, and cannot be framed.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


def protect(response: HttpResponse) -> HttpResponse:
    """Keep the page out of caches and frames, and its address (a link with a token) from others."""
    response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "same-origin"  # Django's CSRF check needs it on our own pages
    return response
