"""Several texts, several passes, jobs sent round again: which analysis counts, and which job."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from core.accounts.actor import Actor
from core.jobs import services as jobs
from core.jobs.models import Job, JobStatus
from meetings.analysis.findings import Section
from meetings.importers.values import ImportedSegment, ImportedTranscript
from meetings.models import Analysis, AnalysisSection, AnalysisStatus, Meeting, Transcript
from meetings.services import analysis as analysis_services
from meetings.services import transcripts as transcript_services
from meetings.services.transcripts import Imported, Replaced
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


def imported(
    actor: Actor, meeting: Meeting, text: str, replaces: Replaced | None = None
) -> Imported:
    """A text that was sent in, with the analysis that was requested with it."""
    said = ImportedTranscript((ImportedSegment(text, "Anna"),))
    return transcript_services.import_transcript(
        actor=actor, meeting=meeting, text=said, language="en", replaces=replaces
    )


def transcribed(meeting: Meeting, text: str) -> Transcript:
    """The text of a recording whose event has reached no subscriber yet."""
    return make.transcript(recording=make.recording(meeting=meeting), texts=(text,))


def shown(actor: Actor, meeting: Meeting) -> tuple[list[str], list[str]]:
    """The transcripts that the analysis shown has read, and the decisions in it."""
    found = make.client(actor).get(address(meeting)).json()
    return found["analysis"]["transcripts"], [d["text"] for d in found["decisions"]]


def make_failed(analysis: Analysis) -> Job:
    """The job of an analysis, as if it had failed."""
    job = Job.objects.get(subject_id=analysis.id, kind=analysis_services.KIND)
    job.children.all().delete()
    Job.objects.filter(id=job.id).update(status=JobStatus.FAILED)
    job.refresh_from_db()
    return job


def failed_at_first() -> tuple[APIClient, Meeting, Any]:
    """Who asks, and a meeting whose first analysis failed in every section; with its job."""
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    client = make.client(actor)
    send(client, meeting)
    with find_by(failing_in(*Section)):
        run_jobs_to_the_end()
    return client, meeting, Analysis.objects.get().job


def test_one_analysis_reads_all_texts_however_late_their_events_arrive() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    texts = [transcribed(meeting, text) for text in (OLD, NEW)]
    for _event in texts:
        analysis_services.analyse_new_text(meeting=meeting)
    run_jobs()
    assert Analysis.objects.get().transcript_ids == [text.id for text in texts]
    transcript_ids, decisions = shown(actor, meeting)
    assert transcript_ids == [str(text.id) for text in texts]
    assert [("printer" in text, "projector" in text) for text in decisions] == [
        (True, False),
        (False, True),
    ]


@pytest.mark.parametrize("is_done_first", [True, False])
def test_analysis_of_an_earlier_text_writes_nothing_once_a_newer_one_has_begun(
    is_done_first: bool,
) -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    early = imported(actor, meeting, OLD).analysis
    if is_done_first:
        run_jobs()
    new = imported(actor, meeting, NEW, replaces=Replaced.TEXTS)
    assert (new.analysis.version, new.analysis.transcript_ids) == (2, [new.transcript.id])
    if is_done_first:
        jobs.requeue_job(job=make_failed(early))
    run_jobs()
    assert [str(a.current_status) for a in Analysis.objects.order_by("version")] == [
        "cancelled",
        "succeeded",
    ]
    transcript_ids, decisions = shown(actor, meeting)
    assert transcript_ids == [str(new.transcript.id)]
    assert ["projector" in text for text in decisions] == [True]


def test_section_of_an_earlier_text_is_refused() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    client = make.client(actor)
    analysed(client, meeting)
    transcribed(meeting, NEW)
    answer = client.post(address(meeting), {"section": "topics"})
    assert (answer.status_code, answer.json()["code"]) == (409, "analysis.transcript_changed")
    assert client.post(address(meeting)).status_code == 202


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
