"""A job from being asked for to its end."""

from __future__ import annotations

import uuid

import pytest
from django.db import transaction

from core import errors
from core.db.clock import database_now
from core.events.models import Event
from core.jobs import services, transitions, worker
from core.jobs.models import DeadLetter, Job, JobAttempt, JobStatus, JobStep
from core.jobs.queries import shown_progress, with_children_progress
from core.jobs.services import HOUSEKEEPING, Origin, cancel_job, enqueue, requeue_job
from core.relay import loop
from tests import make
from tests.core.jobs import kinds
from tests.run_jobs import run_jobs

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_done() -> None:
    kinds.done.clear()


def ask(
    kind: str, *, dedup_key: str = "", origin: Origin = HOUSEKEEPING, **arguments: object
) -> Job:
    return enqueue(kind=kind, origin=origin, arguments=arguments, dedup_key=dedup_key)


def after(job: Job) -> Job:
    job.refresh_from_db()
    return job


def test_a_job_is_done_once_and_remembers_its_attempt() -> None:
    job = ask("tests.note", word="hello")
    assert (job.status, job.queue) == (JobStatus.QUEUED, "default")
    assert run_jobs() == 1
    assert kinds.done == ["hello"]
    assert (after(job).status, job.progress, job.attempts) == (JobStatus.SUCCEEDED, 1.0, 1)
    assert job.ended_at is not None
    assert [attempt.outcome for attempt in job.attempt_log.all()] == ["succeeded"]


def test_a_second_message_for_the_same_job_does_nothing() -> None:
    job = ask("tests.note", word="once")
    worker.perform(str(job.id))
    worker.perform(str(job.id))
    assert kinds.done == ["once"]


def test_a_message_for_a_deleted_job_does_nothing() -> None:
    worker.perform(str(uuid.uuid4()))
    assert kinds.done == []


def test_a_job_is_not_begun_before_its_time() -> None:
    job = enqueue(
        kind="tests.note",
        origin=HOUSEKEEPING,
        arguments={"word": "early"},
        run_at=database_now(plus_seconds=60),
    )
    worker.perform(str(job.id))
    assert kinds.done == []
    assert after(job).status == JobStatus.QUEUED


def test_a_permanent_failure_ends_the_job_with_its_reason() -> None:
    job = ask("tests.fail", how="hopeless")
    run_jobs()
    assert (after(job).status, job.attempts) == (JobStatus.FAILED, 1)
    assert (job.error_code, job.error_message) == ("tests.hopeless", "This can never work.")


def test_a_refusal_is_permanent_but_a_busy_neighbour_is_not() -> None:
    refused, busy = ask("tests.fail", how="refused"), ask("tests.fail", how="busy")
    run_jobs()
    assert (after(refused).status, refused.error_message) == (JobStatus.FAILED, "Not like this.")
    assert (after(busy).status, busy.attempts) == (JobStatus.DEAD, 3)


def test_a_passing_failure_is_dead_after_exactly_its_attempts() -> None:
    job = ask("tests.fail", how="passing")
    assert run_jobs() == 3
    assert (after(job).status, job.attempts) == (JobStatus.DEAD, 3)
    assert [attempt.error_code for attempt in job.attempt_log.all()] == ["tests.passing"] * 3
    assert DeadLetter.objects.get().id == job.id


@pytest.mark.parametrize("how", ["slow", "big"])
def test_job_that_reaches_the_same_limit_twice_is_not_tried_again(how: str) -> None:
    job = ask("tests.fail", how=how)
    run_jobs()
    assert (after(job).status, job.attempts) == (JobStatus.FAILED, 2)


def test_a_failure_that_names_a_pause_is_not_retried_before_it() -> None:
    job = ask("tests.fail", how="later")
    assert run_jobs() == 1
    assert after(job).status == JobStatus.QUEUED
    assert job.run_at > database_now(plus_seconds=3500)


def test_an_unexpected_error_is_told_to_staff_only() -> None:
    job = ask("tests.fail", how="surprise")
    run_jobs()
    assert after(job).error_code == "job.unexpected"
    assert "secret" not in job.error_message
    attempt = JobAttempt.objects.filter(job=job).first()
    assert attempt is not None
    assert "ZeroDivisionError: a secret detail" in attempt.error_detail


def test_a_retry_does_not_repeat_finished_steps() -> None:
    job = ask("tests.steps", fail_at=1)
    assert run_jobs() == 2
    assert kinds.done == [0, 1, 2]
    assert after(job).status == JobStatus.SUCCEEDED
    assert dict(JobStep.objects.values_list("name", "output")) == {
        "step 0": 0,
        "step 1": 10,
        "step 2": 20,
    }


def test_a_parent_goes_on_after_its_last_child() -> None:
    job = ask("tests.family", words=["a", "b", "c"])
    worker.perform(str(job.id))
    assert (after(job).is_waiting, job.step, job.attempts) == (True, "working", 0)
    run_jobs()
    assert kinds.done == ["a", "b", "c", ["succeeded"] * 3]
    assert (after(job).status, job.attempts) == (JobStatus.SUCCEEDED, 1)


def test_the_progress_of_a_parent_never_falls() -> None:
    job = ask("tests.family", words=["a", "b"])
    shown = [seen(job)]
    worker.perform(str(job.id))
    for child in job.children.order_by("id"):
        shown.append(seen(job))
        worker.perform(str(child.id))
    shown += [seen(job)]
    assert after(job).status == JobStatus.QUEUED, "its turn has come again"
    worker.perform(str(job.id))
    shown += [seen(job)]
    assert shown == [0.0, 0.0, 0.475, 0.95, 1.0]


def seen(job: Job) -> float:
    """What a progress bar shows now."""
    return shown_progress(with_children_progress(Job.objects.all()).get(id=job.id))


def test_a_failed_child_is_an_outcome_that_its_parent_hears_of() -> None:
    job = ask("tests.family", words=["a", "hopeless"])
    run_jobs()
    assert kinds.done == ["a", ["succeeded", "failed"]]
    assert after(job).status == JobStatus.FAILED


def test_requeueing_a_parent_repeats_only_the_children_that_failed() -> None:
    job = ask("tests.family", words=["a", "hopeless"])
    run_jobs()
    requeue_job(job=after(job))
    assert after(job).is_waiting
    child = job.children.get(kind="tests.fail")
    Job.objects.filter(id=child.id).update(kind="tests.note", arguments={"word": "mended"})
    run_jobs()
    assert kinds.done == ["a", ["succeeded", "failed"], "mended", ["succeeded", "succeeded"]]
    assert after(job).status == JobStatus.SUCCEEDED


def test_requeueing_a_dead_child_requeues_its_parent() -> None:
    job = ask("tests.family", words=["a", "hopeless"])
    run_jobs()
    child = job.children.get(kind="tests.fail")
    Job.objects.filter(id=child.id).update(kind="tests.note", arguments={"word": "mended"})
    requeue_job(job=child)
    assert after(job).is_waiting
    run_jobs()
    assert kinds.done[-2:] == ["mended", ["succeeded", "succeeded"]]
    assert after(job).status == JobStatus.SUCCEEDED


def test_child_whose_parent_went_on_without_it_is_not_requeued() -> None:
    job = ask("tests.family", words=["a", "hopeless"])
    run_jobs()
    child = job.children.get(kind="tests.fail")
    for status, lease in (("succeeded", None), ("running", database_now(plus_seconds=9))):
        Job.objects.filter(id=job.id).update(status=status, lease_until=lease)
        with pytest.raises(services.JobNotEnded, match="went on without it"):
            requeue_job(job=child)
        assert after(child).status == JobStatus.FAILED


def test_a_forgotten_parent_is_resumed_by_the_relay() -> None:
    job = ask("tests.family", words=["a"])
    worker.perform(str(job.id))
    job.children.update(status=JobStatus.SUCCEEDED)
    assert loop.resume_parents() == 1
    run_jobs()
    assert after(job).status == JobStatus.SUCCEEDED


def test_the_same_work_is_active_only_once() -> None:
    first = ask("tests.note", word="x", dedup_key="k")
    assert ask("tests.note", word="x", dedup_key="k").id == first.id
    assert ask("tests.note", word="x", dedup_key="other").id != first.id
    run_jobs()
    assert ask("tests.note", word="x", dedup_key="k").id != first.id


def test_cancelling_a_queued_job_ends_it_at_once() -> None:
    job = ask("tests.note", word="never")
    assert cancel_job(job=job).status == JobStatus.CANCELLED
    assert run_jobs() == 0
    with pytest.raises(services.JobHasEnded):
        cancel_job(job=job)


def test_cancelling_a_running_job_stops_it_at_its_next_checkpoint() -> None:
    job = ask("tests.steps", fail_at=9)
    Job.objects.filter(id=job.id).update(cancel_requested_at=database_now())
    run_jobs()
    assert kinds.done == [0]
    assert after(job).status == JobStatus.CANCELLED


def test_a_job_cancelled_while_it_delegates_makes_no_children() -> None:
    job = ask("tests.family", words=["a"])
    Job.objects.filter(id=job.id).update(cancel_requested_at=database_now())
    run_jobs()
    assert (after(job).status, job.children.count()) == (JobStatus.CANCELLED, 0)


def test_a_cancelled_job_whose_attempt_fails_is_not_tried_again() -> None:
    job = ask("tests.fail", how="passing")
    Job.objects.filter(id=job.id).update(cancel_requested_at=database_now())
    assert run_jobs() == 1
    assert after(job).status == JobStatus.CANCELLED
    assert not Event.objects.exists()


def test_a_job_deleted_meanwhile_cannot_be_cancelled() -> None:
    job = ask("tests.note", word="x")
    Job.objects.all().delete()
    with pytest.raises(errors.NotFound):
        cancel_job(job=job)


def test_cancelling_a_waiting_parent_cancels_its_children() -> None:
    job = ask("tests.family", words=["a", "b"])
    worker.perform(str(job.id))
    cancel_job(job=job)
    assert after(job).status == JobStatus.CANCELLED
    assert {child.status for child in job.children.all()} == {JobStatus.CANCELLED}
    assert run_jobs() == 0


def test_a_worker_that_lost_its_lease_writes_nothing() -> None:
    job = ask("tests.lose_lease")
    worker.perform(str(job.id))
    assert not JobStep.objects.exists()
    assert after(job).status == JobStatus.RUNNING


def test_a_lapsed_lease_gives_the_job_to_another_worker_and_counts() -> None:
    job = ask("tests.note", word="again")
    assert transitions.claim(job.id, owner="a worker that dies") is not None
    assert loop.recover_lost() == 0
    Job.objects.filter(id=job.id).update(lease_until=database_now(plus_seconds=-1))
    assert loop.recover_lost() == 1
    assert (after(job).status, job.attempts) == (JobStatus.QUEUED, 1)
    Job.objects.filter(id=job.id).update(run_at=database_now())
    run_jobs()
    assert [attempt.outcome for attempt in job.attempt_log.order_by("token")] == [
        "lost",
        "succeeded",
    ]


def test_a_job_that_kills_its_workers_is_dead_after_its_attempts() -> None:
    job = ask("tests.note", word="poison")
    for _ in range(3):
        Job.objects.filter(id=job.id).update(run_at=database_now())
        assert transitions.claim(job.id, owner="a worker that dies") is not None
        Job.objects.filter(id=job.id).update(lease_until=database_now(plus_seconds=-1))
        loop.recover_lost()
    assert (after(job).status, job.error_code) == (JobStatus.DEAD, "job.worker_lost")
    assert transitions.claim(job.id, owner="nobody") is None


def test_a_job_of_an_organization_tells_the_world_of_its_failure() -> None:
    organization = make.organization()
    job = ask("tests.fail", how="hopeless", origin=Origin(organization.id))
    run_jobs()
    event = Event.objects.get(type="job.failed")
    assert event.organization_id == organization.id
    assert event.data == {
        "job_id": str(job.id),
        "kind": "tests.fail",
        "subject_id": "",
        "error_code": "tests.hopeless",
    }


@pytest.mark.django_db(transaction=True)
def test_asking_outside_a_transaction_is_a_programming_error() -> None:
    with pytest.raises(RuntimeError, match="inside the transaction"):
        ask("tests.note", word="x")
    with transaction.atomic():
        ask("tests.note", word="x")


def test_an_unknown_kind_is_a_programming_error() -> None:
    with pytest.raises(KeyError):
        ask("tests.unheard_of")
