"""Which events exist, what they carry, and who listens.

An app declares its types in its `events.py` and its reactions in `subscribers.py`::

    TRANSCRIPT_COMPLETED = declare("transcript.completed", data=TranscriptCompleted, ...)

    @subscribe("transcript.completed")
    def start_analysis(event: Event) -> None: ...

    @subscribe_to_public
    def tell_the_world(event: Event) -> None: ...

    @subscribe_to_public_together
    def tell_the_world_at_once(events: Sequence[Event]) -> None: ...
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from core.events.models import Event

NAME = re.compile(r"^[a-z_]+(\.[a-z_]+)+$")
PUBLIC = "*"


@dataclass(frozen=True, slots=True)
class EventType:
    """A kind of fact; `data` is a TypedDict of plain values. Public ones reach webhooks."""

    name: str
    version: int
    public: bool
    data: type
    example: Mapping[str, Any]
    description: str

    def check_data(self, data: Mapping[str, Any]) -> None:
        """Raise TypeError when `data` is not exactly what the type declares."""
        declared = get_type_hints(self.data)
        if set(data) != set(declared):
            raise TypeError(f"{self.name} carries {sorted(declared)}, not {sorted(data)}")
        for field, expected in declared.items():
            if not _is_of(data[field], expected):
                raise TypeError(f"{self.name}: {field} is not {expected}")


def _is_of(value: Any, expected: Any) -> bool:
    if get_origin(expected) is list:
        (inner,) = get_args(expected)
        return isinstance(value, list) and all(isinstance(one, inner) for one in value)
    return isinstance(value, expected)


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A reaction to one type of event, or to `PUBLIC` ones.

    `name` is remembered on the event once it has run. `react_together` does for many events what
    `react` does for each, in fewer statements.
    """

    name: str
    event_type: str
    react: Callable[[Event], None]
    react_together: Callable[[Sequence[Event]], None] | None = None


_types: dict[str, EventType] = {}
_subscribers: dict[str, list[Subscriber]] = {}


def declare(
    name: str,
    *,
    data: type,
    example: Mapping[str, Any],
    description: str,
    version: int = 1,
    public: bool = True,
) -> EventType:
    """Register an event type: past tense, `noun.verb`. Raises ValueError on a bad or taken name."""
    if not NAME.match(name):
        raise ValueError(f"{name!r} is not of the form noun.verb")
    if name in _types:
        raise ValueError(f"{name} is declared twice")
    kind = EventType(name, version, public, data, example, description)
    kind.check_data(example)
    _types[name] = kind
    return kind


def subscribe(event_type: str) -> Callable[[Callable[[Event], None]], Callable[[Event], None]]:
    """Call the decorated function at least once for each event of this type, after its commit."""

    def register(react: Callable[[Event], None]) -> Callable[[Event], None]:
        name = f"{react.__module__}.{react.__qualname__}"
        _subscribers.setdefault(event_type, []).append(Subscriber(name, event_type, react))
        return react

    return register


def subscribe_to_public(react: Callable[[Event], None]) -> Callable[[Event], None]:
    """Call the function likewise for each event of a public type, whoever declares it and when."""
    return subscribe(PUBLIC)(react)


def subscribe_to_public_together(
    react: Callable[[Sequence[Event]], None],
) -> Callable[[Sequence[Event]], None]:
    """Call the function likewise with many events of public types in one transaction.

    It must not wait for rows that whoever holds them may keep while waiting for its own. Where it
    fails for many, it is called with each alone.
    """
    name = f"{react.__module__}.{react.__qualname__}"
    alone = Subscriber(name, PUBLIC, lambda event: react([event]), react)
    _subscribers.setdefault(PUBLIC, []).append(alone)
    return react


def event_types() -> list[EventType]:
    """All declared types by name."""
    return sorted(_types.values(), key=lambda kind: kind.name)


def public_event_types() -> list[EventType]:
    """Those that reach webhooks, by name."""
    return [kind for kind in event_types() if kind.public]


def event_type(name: str) -> EventType:
    """The declared type. Raises KeyError for one that nobody declared."""
    return _types[name]


def subscribers_of(name: str) -> list[Subscriber]:
    """Who listens to this type of event."""
    kind = _types.get(name)
    to_public = _subscribers.get(PUBLIC, []) if kind is not None and kind.public else []
    return [*_subscribers.get(name, []), *to_public]


def unknown_subscriptions() -> list[Subscriber]:
    """Subscribers to types that nobody declared: a typing mistake that a system check reports."""
    known = {*_types, PUBLIC}
    return [s for name, many in _subscribers.items() if name not in known for s in many]
