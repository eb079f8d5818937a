"""What jobs are about: apps say which subjects belong to a thing, and describe the work.

Several apps may know jobs about the same thing::

    subjects.register_subject(
        "meeting", description="Jobs about a meeting", ids_of=queries.job_subjects
    )
    subjects.describe_by(queries.work_of)
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain

from core.accounts.actor import Actor
from core.jobs.models import Job

IdsOf = Callable[[uuid.UUID], Iterable[uuid.UUID]]


@dataclass(frozen=True, slots=True)
class SubjectFilter:
    """A name for a filter, and what finds ids of jobs' subjects for the id that it is given."""

    name: str
    description: str
    finders: tuple[IdsOf, ...]

    def ids_of(self, thing: uuid.UUID) -> list[uuid.UUID]:
        """All subjects that belong to a thing."""
        return list(chain.from_iterable(find(thing) for find in self.finders))


_filters: dict[str, SubjectFilter] = {}


def register_subject(name: str, *, description: str, ids_of: IdsOf) -> None:
    """Let `GET /api/v1/jobs/` be narrowed by `name`, to these subjects too.

    Raises ValueError when another app means something else by the name.
    """
    known = _filters.get(name)
    if known and known.description != description:
        raise ValueError(f"{name} is declared with two meanings")
    finders = known.finders if known else ()
    _filters[name] = SubjectFilter(name, description, (*finders, ids_of))


def declared() -> list[SubjectFilter]:
    """All filters by name."""
    return sorted(_filters.values(), key=lambda one: one.name)


@dataclass(frozen=True, slots=True)
class Work:
    """A job in words for people: what it does, and what to do when it could not be done."""

    name: str
    advice: str = ""


Describe = Callable[[Job, Actor], Work | None]

_describers: list[Describe] = []


def describe_by(describe: Describe) -> None:
    """Add a function that describes the jobs of an app, None for those it may not or cannot."""
    _describers.append(describe)


def work_of(job: Job, actor: Actor | None) -> Work:
    """A job in the words of its app; in none but its kind where the actor may not see more."""
    described = (describe(job, actor) for describe in _describers) if actor else ()
    return next(filter(None, described), Work(job.kind))
