"""The addresses of the API, to name the right one where a wrong one was asked for."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cache

from rest_framework.schemas.generators import EndpointEnumerator

LONGEST_COMPARED = 200
AN_ID = re.compile(r"(?<=/)[0-9a-f]{8}-[0-9a-f-]{27}(?=/)")
PLACEHOLDER = re.compile(r"\{\w+\}")


def nearest_address(path: str) -> str | None:
    """The known address that is most like `path`; None when none is like it."""
    asked = AN_ID.sub("{id}", f"{path.rstrip('/')}/")
    if len(asked) > LONGEST_COMPARED:
        return None
    found = get_close_matches(asked, _addresses(), n=1, cutoff=0.75)
    return found[0] if found else None


@cache
def _addresses() -> frozenset[str]:
    """Every address of the API, with `{id}` for what varies."""
    endpoints = EndpointEnumerator().get_api_endpoints()
    return frozenset(PLACEHOLDER.sub("{id}", path) for path, _method, _view in endpoints)
