"""Jobs as those see them who wait for them: lists, polling that costs little, cancelling."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.accounts.actor import Actor
from core.accounts.models import Role
from core.db.clock import database_now
from core.jobs.models import Job, JobStatus
from tests import make

pytestmark = pytest.mark.django_db

URL = "/api/v1/jobs/"


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [job["id"] for job in answer.json()["results"]]


def succeeded(
    actor: Actor,
    *,
    seconds: float,
    wait: float = 0.0,
    kind: str = "tests.with_estimates",
    size: float | None = None,
) -> Job:
    job = make.job(
        organization=actor.organization, kind=kind, status=JobStatus.SUCCEEDED, size=size
    )
    begun, ended = database_now(plus_seconds=-seconds), database_now()
    Job.objects.filter(id=job.id).update(
        started_at=begun, ended_at=ended, created_at=database_now(plus_seconds=-seconds - wait)
    )
    return job


def test_the_newest_jobs_come_first_and_page_by_cursor() -> None:
    actor = make.actor()
    jobs = [make.job(organization=actor.organization) for _ in range(3)]
    client = make.client(actor)
    page = client.get(f"{URL}?page_size=2")
    assert ids(page) == [str(jobs[2].id), str(jobs[1].id)]
    assert ids(client.get(page.json()["next"])) == [str(jobs[0].id)]


def test_children_of_a_job_are_not_listed_but_can_be_read() -> None:
    actor = make.actor()
    whole = make.job(organization=actor.organization)
    child = make.job(organization=actor.organization, parent=whole)
    client = make.client(actor)
    assert ids(client.get(URL)) == [str(whole.id)]
    assert client.get(f"{URL}{child.id}/").json()["estimated_seconds_left"] is None


def test_the_list_is_narrowed_by_status_kind_and_subject() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    dead = make.job(organization=actor.organization, status=JobStatus.DEAD, subject_id=meeting.id)
    other = make.job(organization=actor.organization, kind="tests.other")
    client = make.client(actor)
    assert ids(client.get(f"{URL}?status=dead")) == [str(dead.id)]
    assert ids(client.get(f"{URL}?kind=tests.other")) == [str(other.id)]
    assert ids(client.get(f"{URL}?subject={meeting.id}")) == [str(dead.id)]
    assert client.get(f"{URL}?status=lost").status_code == 400


def test_the_jobs_of_a_meeting_are_those_of_its_recordings_and_analyses() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    recording = make.recording(meeting=meeting)
    analysis = make.analysis(transcript=make.transcript(recording=recording))
    job = make.job(organization=actor.organization, subject_id=analysis.id)
    make.recording(meeting=make.meeting(organization=actor.organization))
    found = ids(make.client(actor).get(f"{URL}?meeting={meeting.id}"))
    assert found == [str(job.id), str(recording.job_id)]


def test_nobody_sees_the_jobs_of_another_organization_or_team() -> None:
    actor, stranger = make.actor(), make.actor()
    team = make.team(organization=actor.organization)
    make.job(organization=actor.organization, team=team)
    assert ids(make.client(stranger).get(URL)) == []
    member = make.actor(organization=actor.organization, role=Role.MEMBER)
    assert ids(make.client(member).get(URL)) == []
    joined = make.actor(organization=actor.organization, role=Role.MEMBER, teams=(team,))
    assert len(ids(make.client(joined).get(URL))) == 1


def test_a_job_at_work_says_when_to_look_again_and_one_that_ended_does_not() -> None:
    actor = make.actor()
    job = make.job(organization=actor.organization)
    client = make.client(actor)
    assert client.get(f"{URL}{job.id}/")["Retry-After"] == "2"
    for _ in range(3):
        succeeded(actor, seconds=40, kind=job.kind)
    assert client.get(f"{URL}{job.id}/")["Retry-After"] == "10"
    Job.objects.filter(id=job.id).update(status=JobStatus.SUCCEEDED, ended_at=database_now())
    assert "Retry-After" not in client.get(f"{URL}{job.id}/")


def test_a_repeated_look_is_a_304_while_nothing_has_changed() -> None:
    actor = make.actor()
    job = make.job(organization=actor.organization, status=JobStatus.RUNNING)
    Job.objects.filter(id=job.id).update(
        lease_until=database_now(plus_seconds=30), started_at=database_now()
    )
    succeeded(actor, seconds=100, kind=job.kind)
    client = make.client(actor)
    first = client.get(f"{URL}{job.id}/")
    etag = first["ETag"]
    same = client.get(f"{URL}{job.id}/", headers={"If-None-Match": etag})
    assert (same.status_code, same.content, same["ETag"]) == (304, b"", etag)
    assert same["Retry-After"] == first["Retry-After"]
    assert client.get(f"{URL}{job.id}/", headers={"If-None-Match": "*"}).status_code == 304
    Job.objects.filter(id=job.id).update(progress=0.5)
    changed = client.get(f"{URL}{job.id}/", headers={"If-None-Match": etag})
    assert (changed.status_code, changed.json()["progress"]) == (200, 0.5)
    assert changed["ETag"] != etag


def test_the_progress_of_its_children_changes_a_waiting_jobs_etag() -> None:
    actor = make.actor()
    whole = make.job(organization=actor.organization, status=JobStatus.RUNNING)
    child = make.job(organization=actor.organization, parent=whole)
    client = make.client(actor)
    etag = client.get(f"{URL}{whole.id}/")["ETag"]
    Job.objects.filter(id=child.id).update(progress=0.4)
    assert client.get(f"{URL}{whole.id}/", headers={"If-None-Match": etag}).status_code == 200


def test_the_time_left_comes_from_what_the_last_jobs_of_the_kind_took() -> None:
    actor = make.actor()
    job = make.job(organization=actor.organization, kind="tests.with_estimates")
    client = make.client(actor)

    def left() -> int | None:
        found: int | None = client.get(f"{URL}{job.id}/").json()["estimated_seconds_left"]
        return found

    assert left() is None
    for seconds in (10, 100, 1000):
        succeeded(actor, seconds=seconds, wait=20)
    assert left() in (119, 120)
    Job.objects.filter(id=job.id).update(
        status=JobStatus.RUNNING,
        lease_until=database_now(plus_seconds=9),
        started_at=database_now(),
        progress=0.75,
    )
    assert left() == 25
    Job.objects.filter(id=job.id).update(progress=1.0)
    assert left() == 1
    Job.objects.filter(id=job.id).update(status=JobStatus.SUCCEEDED, ended_at=database_now())
    assert left() is None


def test_time_left_grows_with_the_size_of_the_job() -> None:
    actor = make.actor()
    succeeded(actor, seconds=5, size=10)
    succeeded(actor, seconds=95, size=990)
    client = make.client(actor)
    for size, expected in ((3000, 300), (None, 50)):
        job = make.job(organization=actor.organization, kind="tests.with_estimates", size=size)
        left = client.get(f"{URL}{job.id}/").json()["estimated_seconds_left"]
        assert left == pytest.approx(expected, abs=2)


def test_job_says_what_it_waits_for() -> None:
    actor = make.actor()
    client = make.client(actor)

    def step_of(job: Job) -> str:
        found: str = client.get(f"{URL}{job.id}/").json()["step"]
        return found

    new = make.job(organization=actor.organization)
    assert step_of(new) == "waiting for a worker"

    failed_once = make.job(
        organization=actor.organization, attempts=1, error_code="x", error_message="It broke."
    )
    run_at = datetime(2099, 11, 22, 10, 15, tzinfo=UTC)
    Job.objects.filter(id=failed_once.id).update(run_at=run_at)
    assert step_of(failed_once) == (
        "waiting for attempt 2 of 3, not before 2099-11-22 10:15:00 UTC: It broke."
    )

    whole = make.job(organization=actor.organization, status=JobStatus.RUNNING, step="reading")
    for status in (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.RUNNING, JobStatus.QUEUED):
        make.job(organization=actor.organization, parent=whole, status=status)
    assert step_of(whole) == "reading, waiting for its parts (2 of 4 done)"


def test_a_list_of_many_kinds_costs_as_many_queries_as_one_job() -> None:
    actor = make.actor()
    client = make.client(actor)
    counts = []
    for number in range(6):
        make.job(organization=actor.organization, kind=f"tests.{number}")
        client.get(URL)
        with CaptureQueriesContext(connection) as captured:
            client.get(URL)
        counts.append(len(captured))
    assert min(counts) == max(counts), counts


def test_a_member_cancels_a_job_and_a_viewer_may_only_watch_it() -> None:
    actor = make.actor()
    job = make.job(organization=actor.organization, kind="tests.note")
    viewer = make.client(make.actor(organization=actor.organization, role=Role.VIEWER))
    assert viewer.get(f"{URL}{job.id}/").status_code == 200
    refused = viewer.post(f"{URL}{job.id}/cancel/")
    assert (refused.status_code, refused.json()["code"]) == (403, "role.too_low")
    member = make.client(make.actor(organization=actor.organization, role=Role.MEMBER))
    assert member.post(f"{URL}{job.id}/cancel/").json()["status"] == "cancelled"
    assert member.post(f"{URL}{job.id}/cancel/").json()["code"] == "job.has_ended"
    stranger = make.client(make.actor())
    assert stranger.post(f"{URL}{job.id}/cancel/").status_code == 404


def test_a_key_that_may_only_read_cannot_cancel() -> None:
    actor = make.actor(scopes=("jobs:read",))
    job = make.job(organization=actor.organization, kind="tests.note")
    answer = make.client(actor).post(f"{URL}{job.id}/cancel/")
    assert (answer.status_code, answer.json()["code"]) == (403, "scope.missing")


def test_an_estimate_takes_one_query() -> None:
    actor = make.actor()
    succeeded(actor, seconds=5)
    client = make.client(actor)
    job = make.job(organization=actor.organization, kind="tests.with_estimates")
    with CaptureQueriesContext(connection) as captured:
        client.get(f"{URL}{job.id}/")
    assert sum("percentile_cont" in query["sql"] for query in captured) == 1


@pytest.mark.parametrize("kind", ["core.send_notification", "core.delete_files"])
def test_nobody_stops_a_colleagues_letter_or_the_removal_of_bytes(kind: str) -> None:
    actor = make.actor()
    job = make.job(organization=actor.organization, kind=kind)
    answer = make.client(actor).post(f"{URL}{job.id}/cancel/")
    assert (answer.status_code, answer.json()["code"]) == (403, "job.internal")
    job.refresh_from_db()
    assert job.status == "queued"
