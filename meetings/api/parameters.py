"""Reading ids from the query of a request."""

from __future__ import annotations

from uuid import UUID

from rest_framework.request import Request

from core import errors


def id_in(request: Request, name: str, refusal: type[errors.DomainError]) -> UUID | None:
    """The id in a parameter, None without one. What is no id names nothing: raises `refusal`."""
    text = request.query_params.get(name)
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise refusal from None
