"""What jobs are about: apps say which subjects belong to a thing of theirs, and lists narrow by it.

::

    subjects.declare("meeting", meaning="Jobs about a meeting", ids_of=queries.job_subjects)
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SubjectFilter:
    """A name for a filter, and the ids of jobs' subjects for the id that it is given."""

    name: str
    meaning: str
    ids_of: Callable[[uuid.UUID], Iterable[uuid.UUID]]


_filters: dict[str, SubjectFilter] = {}


def declare(name: str, *, meaning: str, ids_of: Callable[[uuid.UUID], Iterable[uuid.UUID]]) -> None:
    """Let `GET /api/v1/jobs/` be narrowed by `name`. Raises ValueError when it is taken."""
    if name in _filters:
        raise ValueError(f"{name} is declared twice")
    _filters[name] = SubjectFilter(name, meaning, ids_of)


def declared() -> list[SubjectFilter]:
    """All filters by name."""
    return sorted(_filters.values(), key=lambda one: one.name)
