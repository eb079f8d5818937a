"""What people are told about. A package declares its kinds beside the subscriber that uses them.

The words of a kind are in `templates/notifications/<kind>.txt`: the title, an empty line, the text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.template.loader import get_template


@dataclass(frozen=True, slots=True)
class NotificationKind:
    """A kind and its meaning, as people see it where they choose what to be told."""

    name: str
    description: str

    @property
    def template(self) -> str:
        return f"notifications/{self.name}.txt"

    def words(self, values: Mapping[str, Any]) -> tuple[str, str]:
        """The title, in one line, and the text for these values."""
        written = get_template(self.template).render(dict(values))
        title, _, text = written.strip().partition("\n")
        return " ".join(title.split()), text.strip()


_kinds: dict[str, NotificationKind] = {}


def register_notification(name: str, *, description: str) -> NotificationKind:
    """Make a kind known. Raises ValueError when it is taken."""
    if name in _kinds:
        raise ValueError(f"{name} is declared twice")
    _kinds[name] = NotificationKind(name, description)
    return _kinds[name]


def kinds() -> list[NotificationKind]:
    """All kinds by name."""
    return [_kinds[name] for name in sorted(_kinds)]


def kind_of(name: str) -> NotificationKind | None:
    """The declared kind, None for a name that nobody declared."""
    return _kinds.get(name)
