"""What a key may be limited to, and the least role that each thing takes.

A scope is `family:read` or `family:write`. Every package declares its own family, so that this one
knows none of their nouns.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.accounts.models import Role

EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of thing that is read and written together."""

    name: str
    description: str
    reads: Role
    writes: Role


_families: dict[str, Family] = {}


def register_scope(
    name: str, *, description: str, reads: Role = Role.VIEWER, writes: Role = Role.MEMBER
) -> None:
    """Make `name:read` and `name:write` known, each with the least role it takes."""
    _families[name] = Family(name, description, reads, writes)


def families() -> list[Family]:
    """Every family, by name."""
    return [_families[name] for name in sorted(_families)]


def known_scopes() -> list[str]:
    """Every scope a key can be given."""
    return [EVERYTHING, *(f"{f.name}:{verb}" for f in families() for verb in ("read", "write"))]


def least_role(scope: str) -> Role:
    """The least role for a scope. Raises LookupError for one that nobody declared."""
    name, _, verb = scope.partition(":")
    if verb not in ("read", "write") or name not in _families:
        raise LookupError(f"no package declared the scope {scope!r}")
    family = _families[name]
    return family.reads if verb == "read" else family.writes


register_scope(
    "accounts", description="Organization, teams, members and API keys", writes=Role.ADMIN
)
register_scope("jobs", description="Background work")
register_scope("notifications", description="What you are told, and how", writes=Role.VIEWER)
