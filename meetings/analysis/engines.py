"""The protocol of an analysis engine, and the engine in use."""

from __future__ import annotations

from typing import Protocol

from meetings.analysis.discussion import Discussion
from meetings.analysis.findings import Section, SectionFindings
from meetings.analysis.rules.engine import RulesEngine


class Engine(Protocol):
    """Finds the sections of an analysis. `name` is stored with each analysis and never reused.

    `find` raises for no discussion: what it could not do is listed in the notes of its findings.
    Each quote is a verbatim part of one turn. Both are called in workers and in the web process,
    so importing an engine must be cheap.
    """

    name: str

    def find(self, section: Section, discussion: Discussion) -> SectionFindings:
        """Return one section of the analysis of `discussion`."""


ENGINE: Engine = RulesEngine()
