"""Processes that do not see the storage of the others take no work, and lose none."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from core.db.clock import database_now
from core.files.marker import MARKER
from core.jobs.models import Job, JobAttempt, JobStatus
from core.jobs.services import Origin
from tests import make
from tests.faults import ledger
from tests.faults.site import Site
from tests.processes import wait_until
from tests.storage import files_below, mark_storage


def storage() -> Path:
    return ledger.folder() / "files"


@pytest.mark.parametrize("marker", [None, str(uuid.uuid4())], ids=["unmarked", "foreign"])
def test_a_worker_started_on_another_storage_takes_no_job_until_it_sees_the_right_one(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, marker: str | None
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    if marker:
        (other / MARKER).write_text(marker)
    environment: Any = site.house.environment
    site.relay()
    origin = Origin(make.organization().id)
    with monkeypatch.context() as elsewhere:
        elsewhere.setitem(environment, "STORAGE_URL", str(other))
        wrong = site.worker()
    for _ in range(2):
        site.ask("faults.store", origin=origin, megabytes=1)
    wait_until(lambda: site.house.said().count("storage.wrong") > 1, "the worker says why it waits")
    assert set(Job.objects.values_list("status", "attempts")) == {(JobStatus.QUEUED, 0)}

    right = site.worker()
    site.check_all_done_once()
    assert (len(files_below(storage())), files_below(other)) == (2, [])
    assert site.nobody_died()

    site.house.kill(right)
    mark_storage(other)
    site.ask("faults.store", origin=origin, megabytes=1)
    site.check_all_done_once()
    assert wrong.poll() is None
    assert len(files_below(other)) == 1


def test_a_storage_that_is_swapped_under_a_worker_gets_no_file_and_costs_no_attempt(
    site: Site,
) -> None:
    site.relay()
    site.worker()
    origin = Origin(make.organization().id)
    site.ask("faults.store", origin=origin, megabytes=1)
    site.wait_for_the_end()
    storage().rename(storage().with_name("unmounted"))
    storage().mkdir()
    job = site.ask("faults.store", origin=origin, megabytes=1)
    waiting = Job.objects.filter(id=job.id, error_code="storage.wrong", status=JobStatus.QUEUED)
    wait_until(waiting.exists, "the job waits for its storage")
    assert waiting.get().attempts == 0
    assert files_below(storage()) == []

    (storage() / "incoming").rmdir()
    storage().rmdir()
    storage().with_name("unmounted").rename(storage())
    waiting.update(run_at=database_now())
    site.check_all_done_once()
    assert len(files_below(storage())) == 2
    assert JobAttempt.objects.filter(job=job).count() == 2


def test_a_web_process_on_another_storage_is_not_ready_and_the_relay_waits(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment: Any = site.house.environment
    monkeypatch.setitem(environment, "STORAGE_URL", str(tmp_path / "other"))
    site.house.start("web")
    relay = site.relay()
    wait_until(lambda: site.answers("/api/health/live") == 200, "the web process answers")
    assert site.answers("/api/health/ready") == 503
    site.ask(steps=0, seconds=0.0)
    wait_until(lambda: site.house.said().count("storage.wrong") > 1, "the relay says why it waits")

    mark_storage(tmp_path / "other")
    wait_until(lambda: site.answers("/api/health/ready") == 200, "the web process is ready")
    site.worker()
    site.check_all_done_once()
    assert relay.poll() is None
