"""Every registered model has a list and a page that staff can open."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.accounts.models import ApiKey, Organization
from core.db.clock import database_now
from core.http.models import IdempotencyKey
from core.jobs.models import Job, JobAttempt, JobStatus, JobStep
from core.jobs.services import HOUSEKEEPING, enqueue
from meetings.models import (
    ActionItem,
    Analysis,
    Decision,
    Evidence,
    Meeting,
    Segment,
    Summary,
    Topic,
)
from tests import make
from tests.core.jobs import kinds  # noqa: F401 - registers the kinds
from tests.run_jobs import run_jobs

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(make.user(is_staff=True, is_superuser=True))
    return client


def test_every_list_and_every_row_opens(staff: Client) -> None:
    make.everything(organization=make.organization())
    enqueue(kind="tests.steps", origin=HOUSEKEEPING, arguments={"fail_at": 9})
    enqueue(kind="tests.fail", origin=HOUSEKEEPING, arguments={"how": "passing"})
    run_jobs()
    opened = set()
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert staff.get(reverse(f"{name}_changelist")).status_code == 200, model
        for row in model._default_manager.all():
            page = staff.get(reverse(f"{name}_change", args=[row.pk]))
            assert page.status_code == 200, model
            opened.add(model._meta.label)
    empty = {"django_celery_results.TaskResult"}
    assert {model._meta.label for model in admin.site._registry} - opened == empty


def test_staff_queue_a_dead_job_again_and_cancel_a_waiting_one(staff: Client) -> None:
    job = enqueue(kind="tests.fail", origin=HOUSEKEEPING, arguments={"how": "passing"})
    run_jobs()
    for action, status in (("requeue", JobStatus.QUEUED), ("cancel", JobStatus.CANCELLED)):
        chosen = {"action": action, "_selected_action": [str(job.id)]}
        assert staff.post(reverse("admin:core_job_changelist"), chosen).status_code == 302
        job.refresh_from_db()
        assert job.status == status


def test_a_job_is_queued_again_on_its_own_page(staff: Client) -> None:
    job = enqueue(kind="tests.fail", origin=HOUSEKEEPING, arguments={"how": "passing"})
    run_jobs()
    page = page_of(job)
    assert 'value="requeue"' in staff.get(page).content.decode()

    answer = staff.post(page, {"action": "requeue"}, follow=True)

    job.refresh_from_db()
    assert job.status == JobStatus.QUEUED
    assert answer.request["PATH_INFO"] == page
    assert "1 queued again." in answer.content.decode()
    assert 'value="requeue"' not in answer.content.decode()
    assert "no such action" in staff.post(page, {"action": "x"}, follow=True).content.decode()


def test_who_may_only_see_other_rows_does_nothing_to_a_job() -> None:
    person, job = Client(), make.job(organization=make.organization())
    person.force_login(make.user(is_staff=True))

    assert person.post(page_of(job), {"action": "cancel"}).status_code == 403

    job.refresh_from_db()
    assert job.status == JobStatus.QUEUED


def test_nobody_else_enters(staff: Client) -> None:
    person = Client()
    person.force_login(make.user())
    assert person.get(reverse("admin:core_job_changelist")).status_code == 302


# --- What a page costs ------------------------------------------------------------------------


def everything_of_a_house(organization: Organization) -> Job:
    """A row of every kind, and a job with attempts, kept steps and children. Returns the job."""
    make.everything(organization=organization)
    meeting = make.meeting(organization=organization)
    job = make.recording(meeting=meeting).job
    assert job is not None
    _grow_job(organization, job)
    return job


def _grow_job(organization: Organization, job: Job) -> None:
    tries = job.attempt_log.count()
    JobAttempt.objects.create(job=job, token=tries + 1, worker="w", started_at=database_now())
    JobStep.objects.create(job=job, name=f"step {tries}", output={"words": "secret words"})
    make.job(organization=organization, kind=job.kind, parent=job)


def _grow(organization: Organization, job: Job) -> None:
    """More rows of every kind, in the lists and on the pages of those that are there already."""
    for _ in range(2):
        everything_of_a_house(organization)
        _grow_job(organization, job)
    meeting = Meeting.objects.filter(organization=organization).earliest("created_at")
    for _ in range(2):
        make.analysis(transcript=make.transcript(recording=make.recording(meeting=meeting)))


def cost(client: Client, address: str) -> int:
    """The number of queries of a page whose like was opened before."""
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200, address
    return len(captured)


def list_of(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def page_of(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def test_no_list_and_no_page_costs_more_queries_for_more_rows(staff: Client) -> None:
    organization = make.organization()
    job = everything_of_a_house(organization)
    rows = {model: model._default_manager.order_by("pk").first() for model in admin.site._registry}
    pages = [list_of(model) for model in rows] + [page_of(row) for row in rows.values() if row]
    pages.append(page_of(job))
    for page in pages:
        staff.get(page)
    few = {page: cost(staff, page) for page in pages}

    _grow(organization, job)

    assert {page: cost(staff, page) for page in pages} == few
    assert max(few.values()) <= 20, few


# --- What a page shows ------------------------------------------------------------------------


def every_page(client: Client) -> str:
    """The text of every list and of the page of every row."""
    shown = []
    for model in admin.site._registry:
        shown.append(client.get(list_of(model)).content.decode())
        shown += [client.get(page_of(row)).content.decode() for row in model._default_manager.all()]
    return "\n".join(shown)


def test_nothing_that_was_said_is_on_any_page(staff: Client) -> None:
    job = everything_of_a_house(make.organization())
    said = "the merger is off"
    analysis = Analysis.objects.get()
    Decision.objects.update(text=said, found_text=said)
    ActionItem.objects.update(text=said, found_text=said, owner_name=said, due_phrase=said)
    Segment.objects.update(text=said)
    Summary.objects.update(text=said)
    Topic.objects.update(title=said)
    Evidence.objects.update(quote=said)
    JobStep.objects.filter(job=job).update(output={"words": said})

    shown = every_page(staff)

    assert str(analysis.id) in shown
    assert said not in shown


def test_no_secret_is_on_any_page(staff: Client) -> None:
    make.everything(organization=make.organization())
    person = make.user(password="correct horse battery staple")
    IdempotencyKey.objects.update(body="what was answered")

    shown = every_page(staff)

    assert ApiKey.objects.get().prefix in shown
    assert ApiKey.objects.get().secret_hash not in shown
    assert "what was answered" not in shown
    assert person.email in shown
    _, salt, digest = person.password.split("$")
    assert salt not in shown
    assert f"{digest[:6]}*" not in shown


def test_the_list_of_jobs_shows_whole_jobs_until_children_are_wanted(staff: Client) -> None:
    organization = make.organization()
    whole = make.job(organization=organization)
    child = make.job(organization=organization, parent=whole)

    def listed(query: str) -> set[str]:
        page = staff.get(list_of(Job) + query).content.decode()
        return {str(job.id) for job in (whole, child) if f"/{job.id}/change/" in page}

    assert listed("") == {str(whole.id)}
    assert listed("?part=all") == {str(whole.id), str(child.id)}
    assert listed("?part=children") == {str(child.id)}
    assert listed(f"?q={child.id}") == {str(child.id)}
    assert listed(f"?parent__id__exact={whole.id}") == {str(child.id)}


def test_periodic_jobs_are_listed_when_they_fail_or_are_asked_for(staff: Client) -> None:
    well, failed = (
        enqueue(kind="core.prune_jobs", origin=HOUSEKEEPING, arguments={}) for _ in range(2)
    )
    Job.objects.filter(id=failed.id).update(status=JobStatus.FAILED)

    def listed(query: str) -> set[str]:
        page = staff.get(list_of(Job) + query).content.decode()
        return {str(job.id) for job in (well, failed) if f"/{job.id}/change/" in page}

    assert listed("") == {str(failed.id)}
    for query in ("?part=whole", "?queue=default", "?kind=core.prune_jobs"):
        assert listed(query) == {str(well.id), str(failed.id)}


def test_recordings_are_listed_by_the_state_of_their_transcription(staff: Client) -> None:
    recording = make.recording(meeting=make.meeting())
    assert recording.job is not None
    Job.objects.filter(id=recording.job.id).update(status=JobStatus.DEAD)

    def listed(status: str) -> str:
        return staff.get(f"/admin/meetings/recording/?job__status={status}").content.decode()

    assert page_of(recording) in listed("dead")
    assert page_of(recording) not in listed("queued")


def test_a_meeting_leads_to_its_recording_and_that_to_its_job_and_back(staff: Client) -> None:
    meeting = make.meeting()
    recording = make.recording(meeting=meeting)
    assert recording.job is not None

    assert page_of(recording) in staff.get(page_of(meeting)).content.decode()
    assert page_of(recording.job) in staff.get(page_of(meeting)).content.decode()
    assert page_of(recording) in staff.get(page_of(recording.job)).content.decode()
    assert page_of(meeting) in staff.get(page_of(recording)).content.decode()


def test_a_job_shows_its_attempts_with_the_whole_error_and_how_its_children_fare(
    staff: Client,
) -> None:
    organization = make.organization()
    job = make.job(organization=organization, status=JobStatus.DEAD)
    detail = "Traceback\n  File 1\nValueError: an odd frame"
    JobAttempt.objects.create(
        job=job, token=1, worker="speech@host", started_at=database_now(), error_detail=detail
    )
    make.job(organization=organization, parent=job, status=JobStatus.SUCCEEDED)
    make.job(organization=organization, parent=job, status=JobStatus.FAILED)

    page = staff.get(page_of(job)).content.decode()

    assert "speech@host" in page
    assert "<summary>ValueError: an odd frame</summary>" in page
    assert "File 1" in page
    assert "1 failed, 1 succeeded" in page


def test_no_list_asks_the_database_which_kinds_of_job_there_are(staff: Client) -> None:
    make.job(organization=make.organization())
    with CaptureQueriesContext(connection) as captured:
        staff.get(list_of(Job))
    assert [query["sql"] for query in captured if "DISTINCT" in query["sql"]] == []


def test_organizations_are_offered_as_a_filter_while_they_are_few(staff: Client) -> None:
    chosen = make.meeting(title="Ours")
    make.meeting(title="Theirs")
    page = staff.get(f"{list_of(Meeting)}?organization={chosen.organization_id}").content.decode()
    assert "Ours" in page
    assert "Theirs" not in page

    Organization.objects.bulk_create(Organization(name=f"Many {n}") for n in range(60))
    assert "By organization" not in staff.get(list_of(Meeting)).content.decode()
