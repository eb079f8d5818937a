"""Many at once: requests for the same analysis, and somebody who deletes the meeting meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from core import errors
from core.accounts.actor import Actor
from core.jobs import worker
from core.jobs.models import Job
from meetings.analysis.discussion import Discussion
from meetings.analysis.engines import ENGINE
from meetings.analysis.findings import Section, SectionFindings
from meetings.models import Analysis, Decision, Evidence, Meeting
from meetings.services import analysis as analysis_services
from meetings.services import meetings as meeting_services
from tests import make
from tests.meetings.insight import DISCUSSION, analysed, find_by, send
from tests.run_jobs import run_jobs

pytestmark = pytest.mark.django_db(transaction=True)


def closing(work: Callable[[], Any]) -> Any:
    """The work's result, its thread's connection closed."""
    try:
        return work()
    finally:
        connection.close()


@pytest.mark.slow
def test_thirty_requests_at_once_give_one_job() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    make.transcript(recording=make.recording(meeting=meeting, with_job=False))

    def ask(_number: int) -> Any:
        def request() -> Any:
            return analysis_services.request_analysis(meeting=meeting, actor=actor).job

        return closing(request)

    with ThreadPoolExecutor(max_workers=10) as pool:
        jobs = {job.id for job in pool.map(ask, range(100))}
    assert len(jobs) == 1
    assert (Analysis.objects.count(), Job.objects.count()) == (1, 1)


@pytest.mark.parametrize("round_", range(3))
def test_the_sections_of_one_analysis_are_written_side_by_side(round_: int) -> None:
    actor = make.actor()
    client = make.client(actor)
    meeting = make.meeting(organization=actor.organization)
    found = analysed(client, meeting, *DISCUSSION)
    client.post(f"/api/v1/meetings/{meeting.id}/analysis/")
    parent = Job.objects.get(kind="meetings.analyse_transcript", status="queued")
    worker.perform(str(parent.id))
    children = [str(child.id) for child in parent.children.all()]
    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(lambda job: closing(lambda: worker.perform(job)), children))
    run_jobs()
    again = client.get(f"/api/v1/meetings/{meeting.id}/analysis/").json()
    assert (again["analysis"]["status"], again["analysis"]["version"]) == ("succeeded", 2)
    assert [d["text"] for d in again["decisions"]] == [d["text"] for d in found["decisions"]]


def delete(actor: Actor, meeting: Meeting) -> None:
    meeting_services.delete_meeting(actor=actor, meeting=meeting)


def test_a_meeting_deleted_while_its_sections_are_found_leaves_nothing() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    own, deleted = ENGINE.find, threading.Event()

    def find(section: Section, discussion: Discussion) -> SectionFindings:
        if not deleted.is_set():
            deleted.set()
            thread = threading.Thread(target=closing, args=(lambda: delete(actor, meeting),))
            thread.start()
            thread.join(timeout=30)
        return own(section, discussion)

    send(make.client(actor), meeting)
    with find_by(find):
        run_jobs()
    assert deleted.is_set()
    assert not any(m.objects.exists() for m in (Meeting, Analysis, Decision, Evidence, Job))


@pytest.mark.parametrize("round_", range(3))
def test_a_meeting_deleted_while_its_sections_are_written_deadlocks_nobody(round_: int) -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    client = make.client(actor)
    send(client, meeting)
    client.post(f"/api/v1/meetings/{meeting.id}/analysis/")
    parent = Job.objects.get(kind="meetings.analyse_transcript")
    worker.perform(str(parent.id))
    works: list[Callable[[], Any]] = [
        *(lambda job=child.id: worker.perform(str(job)) for child in parent.children.all()),
        lambda: delete(actor, meeting),
    ]
    problems: list[Exception] = []

    def do(work: Callable[[], Any]) -> None:
        try:
            closing(work)
        except errors.NotFound:
            pass
        except Exception as error:  # noqa: BLE001 - looked at below
            problems.append(error)

    with ThreadPoolExecutor(max_workers=len(works)) as pool:
        list(pool.map(do, works))
    run_jobs()
    assert problems == []
    assert not any(m.objects.exists() for m in (Meeting, Analysis, Decision, Evidence, Job))
