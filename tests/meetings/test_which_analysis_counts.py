"""Several texts, several passes, jobs sent round again: which analysis counts, and which job."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from core.accounts.actor import Actor
from core.events.models import Event
from core.jobs import services as jobs
from core.jobs.models import JobStatus
from meetings.analysis.findings import Section
from meetings.importers.values import ImportedSegment, ImportedTranscript
from meetings.models import Analysis, AnalysisSection, AnalysisStatus, Meeting, Transcript
from meetings.services import analysis as analysis_services
from meetings.services import transcripts as transcript_services
from tests import make
from tests.meetings.insight import (
    address,
    analysed,
    failing_in,
    find_by,
    run_jobs_to_the_end,
    send,
)
from tests.run_jobs import run_jobs

pytestmark = pytest.mark.django_db

OLD, NEW = "We agreed to repair the old printer.", "We agreed to buy the new projector."


def imported(actor: Actor, meeting: Meeting, text: str) -> Transcript:
    """A text whose event nobody hears of."""
    said = ImportedTranscript((ImportedSegment(text, "Anna"),))
    transcript = transcript_services.import_transcript(
        actor=actor, meeting=meeting, text=said, language="en"
    )
    Event.objects.all().delete()
    return transcript


def shown(actor: Actor, meeting: Meeting) -> tuple[str, list[str]]:
    """The transcript whose analysis is shown, and the decisions in it."""
    found = make.client(actor).get(address(meeting)).json()
    return found["analysis"]["transcript"], [d["text"] for d in found["decisions"]]


def failed_at_first() -> tuple[APIClient, Meeting, Any]:
    """Who asks, and a meeting whose first analysis failed in every section; with its job."""
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    client = make.client(actor)
    send(client, meeting)
    with find_by(failing_in(*Section)):
        run_jobs_to_the_end()
    return client, meeting, Analysis.objects.get().job


def test_events_that_come_in_the_wrong_order_leave_the_newest_text_on_top() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    old, new = imported(actor, meeting, OLD), imported(actor, meeting, NEW)
    analysis_services.analyse_new_transcript(transcript=new)
    analysis_services.analyse_new_transcript(transcript=old)
    run_jobs()
    assert Analysis.objects.get().transcript_id == new.id
    transcript_id, decisions = shown(actor, meeting)
    assert transcript_id == str(new.id)
    assert ["projector" in text for text in decisions] == [True]


@pytest.mark.parametrize("is_done_first", [True, False])
def test_a_later_analysis_of_an_older_text_writes_nothing(is_done_first: bool) -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    old, new = imported(actor, meeting, OLD), imported(actor, meeting, NEW)
    analysis_services.request_analysis(transcript=new)
    if is_done_first:
        run_jobs()
    late = analysis_services.request_analysis(transcript=old, actor=actor)
    run_jobs()
    late.refresh_from_db()
    assert (late.version, late.status) == (2, AnalysisStatus.CANCELLED)
    transcript_id, decisions = shown(actor, meeting)
    assert transcript_id == str(new.id)
    assert ["projector" in text for text in decisions] == [True]


def test_the_texts_of_another_recording_are_no_newer_ones() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    first, second = (make.recording(meeting=meeting, with_job=False) for _ in range(2))
    texts = [make.transcript(recording=recording) for recording in (first, second)]
    texts[1].version = 2
    texts[1].save()
    for transcript in texts:
        analysis_services.analyse_new_transcript(transcript=transcript)
    assert [a.transcript_id for a in Analysis.objects.order_by("version")] == [t.id for t in texts]
    run_jobs()
    assert {a.status for a in Analysis.objects.all()} == {AnalysisStatus.SUCCEEDED}


def test_a_job_that_staff_send_round_again_stays_with_its_own_analysis() -> None:
    client, meeting, first = failed_at_first()
    client.post(address(meeting), {"section": "summary"})
    run_jobs()
    jobs.requeue_job(job=first)
    answer = client.post(address(meeting)).json()
    assert (answer["job"]["id"], answer["analysis"]["version"]) == (str(first.id), 1)
    assert answer["analysis"]["status"] in ("queued", "running")
    run_jobs()
    found = client.get(address(meeting)).json()
    assert (found["analysis"]["status"], found["analysis"]["version"]) == ("succeeded", 1)
    assert {section["status"] for section in found["sections"]} == {"succeeded"}


def test_a_new_analysis_has_a_job_of_its_own_while_an_older_one_is_sent_round_again() -> None:
    client, meeting, first = failed_at_first()
    client.post(address(meeting))
    run_jobs()
    jobs.requeue_job(job=first)
    answer = client.post(address(meeting)).json()
    assert answer["analysis"]["version"] == 3
    assert answer["job"]["id"] != str(first.id)
    run_jobs()
    assert [str(a.current_status) for a in Analysis.objects.order_by("version")] == [
        "cancelled",
        "succeeded",
        "succeeded",
    ]


def test_what_the_job_at_work_does_not_find_is_refused() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    client = make.client(actor)
    analysed(client, meeting)
    asked = client.post(address(meeting), {"section": "summary"}).json()
    again = client.post(address(meeting), {"section": "summary"})
    assert (again.status_code, again.json()["job"]["id"]) == (202, asked["job"]["id"])
    for body in ({"section": "topics"}, {}):
        refused = client.post(address(meeting), body)
        assert (refused.status_code, refused.json()["code"]) == (409, "analysis.busy")
    run_jobs()
    assert client.post(address(meeting), {"section": "topics"}).status_code == 202


def test_an_analysis_at_work_again_says_so() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    client = make.client(actor)
    send(client, meeting)
    with find_by(failing_in(*Section)):
        run_jobs_to_the_end()
    assert client.get(address(meeting)).json()["analysis"]["status"] == "failed"
    ended: Any = Analysis.objects.get().job
    jobs.requeue_job(job=ended)
    found = client.get(address(meeting)).json()
    assert found["analysis"]["status"] == "running"
    assert {section["status"] for section in found["sections"]} == {"queued"}


def test_the_database_tells_the_same_status_as_the_code() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    row = make.analysis(transcript=make.transcript(recording=make.recording(meeting=meeting)))
    job = jobs.enqueue(
        kind="meetings.analyse_transcript",
        origin=jobs.Origin(actor.organization.id),
        arguments={},
    )
    for stored, how in product(AnalysisStatus, (None, *JobStatus)):
        if how is not None:
            type(job).objects.filter(id=job.id).update(status=how)
        for model, rows in (
            (Analysis, Analysis.objects.filter(id=row.id)),
            (AnalysisSection, row.sections.filter(section=Section.TOPICS)),
        ):
            rows.update(status=stored, job=job if how else None)
            told = model.objects.filter(id=rows.get().id).with_status_now().get()
            assert told.status_now == told.current_status, (model, stored, how)
            if stored == AnalysisStatus.QUEUED and how == JobStatus.SUCCEEDED:
                assert told.current_status == AnalysisStatus.FAILED


def test_an_analysis_that_is_settled_while_it_is_read_is_not_called_failed() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    client = make.client(actor)
    send(client, meeting)
    client.post(address(meeting))
    worked: list[bool] = []

    def work_before_the_job_is_read(
        execute: Any, sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        if not worked and 'FROM "core_job"' in sql and "children_state" in sql:
            worked.append(True)
            run_jobs()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(work_before_the_job_is_read):
        found = client.get(address(meeting)).json()
    assert worked == [True]
    assert found["analysis"]["status"] == "succeeded"
