"""What django-celery-results records: errors that left a task, nothing of jobs that went well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import current_app
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django_celery_results.models import TaskResult

from core.db.clock import database_now
from core.jobs import periodic, results
from core.jobs.models import Job, JobStatus
from core.jobs.services import HOUSEKEEPING, enqueue
from tests.processes import House, house, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def working(tmp_path: Path) -> Iterator[House]:
    """A worker on the queue for housekeeping."""
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        broker.flushdb()
        with house(tmp_path / "house") as started:
            started.start("worker", "-Q", "default", "-c", "1")
            yield started
        broker.flushdb()


def test_result_that_cannot_be_written_is_logged_and_raises_nothing() -> None:
    def break_statement(*_: Any) -> None:
        raise OperationalError("the connection is lost")

    with connection.execute_wrapper(break_statement):
        current_app.backend.mark_as_revoked("some-id", "expired", store_result=True)
    assert not TaskResult.objects.exists()


def test_results_go_after_their_time() -> None:
    current_app.backend.mark_as_revoked("old", "expired", store_result=True)
    month_ago = database_now(plus_seconds=-settings.CELERY_RESULT_EXPIRES - 60)
    TaskResult.objects.update(date_done=month_ago)
    current_app.backend.mark_as_revoked("new", "expired", store_result=True)
    assert results.prune() == 1
    assert TaskResult.objects.get().task_id == "new"


@pytest.mark.slow
def test_only_an_error_that_left_its_task_is_recorded(working: House) -> None:
    with transaction.atomic():
        good = enqueue(kind="core.delete_files", origin=HOUSEKEEPING, arguments={"keys": []})
        bad = enqueue(kind="core.delete_files", origin=HOUSEKEEPING, arguments={"keys": None})
    current_app.send_task(periodic.TICK, queue="default")
    current_app.send_task("core.delete_files", kwargs={"job_id": "no id"}, queue="default")
    wait_until(TaskResult.objects.exists, "the error was recorded")
    wait_until(lambda: Job.objects.get(id=good.id).has_ended, "the sound job was done")
    wait_until(lambda: Job.objects.get(id=bad.id).attempts == 1, "the other was tried")
    [record] = TaskResult.objects.all()
    assert (record.status, record.task_name) == ("FAILURE", "core.delete_files")
    assert "ValueError" in (record.traceback or "")
    assert "no id" in (record.task_kwargs or "")
    assert Job.objects.get(id=good.id).status == JobStatus.SUCCEEDED
