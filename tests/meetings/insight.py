"""Texts sent in, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from rest_framework.test import APIClient

from core.db.clock import database_now
from core.jobs.models import Job, JobStatus
from meetings.analysis.discussion import Discussion
from meetings.analysis.engines import ENGINE
from meetings.analysis.findings import Section, SectionFindings
from meetings.models import Meeting
from tests.run_jobs import run_jobs

DISCUSSION = (
    ("Anna", "Good morning everyone, today we talk about the launch of the new website in spring."),
    ("Ben", "The pages load slowly, and the customers complain about the search on the website."),
    ("Anna", "We decided to launch the new website on the first of March."),
    ("Ben", "I will send the list of slow pages to the team by Friday."),
    ("Cara", "The colours of the website were liked by every customer that we asked about them."),
    ("Anna", "Thank you all, that was a useful meeting about the website and its search."),
)

Find = Callable[[Section, Discussion], SectionFindings]


def segments(*said: tuple[str, str]) -> list[dict[str, Any]]:
    """A body's segments, each of ten seconds."""
    return [
        {
            "speaker": speaker,
            "text": text,
            "start_ms": 10_000 * number,
            "end_ms": 10_000 * number + 9_000,
        }
        for number, (speaker, text) in enumerate(said)
    ]


def address(meeting: Meeting, what: str = "analysis") -> str:
    return f"/api/v1/meetings/{meeting.id}/{what}/"


def send(
    client: APIClient,
    meeting: Meeting,
    *said: tuple[str, str],
    language: str = "en",
    **options: str,
) -> Any:
    """The answer to a text that is sent in; the usual discussion when none is given."""
    body = {"language": language, "segments": segments(*(said or DISCUSSION)), **options}
    return client.post(address(meeting, "transcript"), body)


def analysed(client: APIClient, meeting: Meeting, *said: tuple[str, str]) -> dict[str, Any]:
    """The analysis of a text that was sent in, with all work done."""
    assert send(client, meeting, *said).status_code == 201
    run_jobs()
    found: dict[str, Any] = client.get(address(meeting)).json()
    return found


def run_jobs_to_the_end() -> None:
    """Also the attempts that would wait for their pause to pass."""
    run_jobs()
    while Job.objects.filter(status=JobStatus.QUEUED).update(run_at=database_now()):
        run_jobs()


@contextmanager
def find_by(find: Find) -> Iterator[None]:
    """A fault in the engine, put in by replacing what it does."""
    with patch.object(ENGINE, "find", find):
        yield


def failing_in(*sections: Section) -> Find:
    """The engine, broken in some of its sections."""
    own = ENGINE.find

    def find(section: Section, discussion: Discussion) -> SectionFindings:
        if section in sections:
            raise ZeroDivisionError("a fault put in by a test")
        return own(section, discussion)

    return find
