"""A declared type of event as a JSON Schema (2020-12), made from what `publish` insists on."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from core.events.registry import EventType

NAMES: dict[type, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    NoneType: "null",
}


def schema_of_data(kind: EventType) -> dict[str, Any]:
    """What `data` of the event holds. Raises TypeError for a type that JSON has no word for.

    Further fields are allowed: a type may gain some without a new version.
    """
    declared = get_type_hints(kind.data)
    return {
        "type": "object",
        "required": list(declared),
        "properties": {field: _schema_of(hint) for field, hint in declared.items()},
    }


def _schema_of(hint: Any) -> dict[str, Any]:
    if get_origin(hint) in (Union, UnionType):
        return {"type": [_name_of(one) for one in get_args(hint)]}
    if get_origin(hint) is list:
        return {"type": "array", "items": _schema_of(get_args(hint)[0])}
    return {"type": _name_of(hint)}


def _name_of(hint: Any) -> str:
    try:
        return NAMES[hint]
    except KeyError:
        raise TypeError(f"an event cannot carry {hint}") from None
