"""Steps that only make sense inside somebody else's transaction."""

from __future__ import annotations

from django.db import connection


def require_transaction(step: str) -> None:
    """Raise RuntimeError unless a transaction is open, with which `step` commits or vanishes."""
    if not connection.in_atomic_block:
        raise RuntimeError(f"{step} must run inside the transaction of the service that calls it")
