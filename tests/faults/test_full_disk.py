"""A disk without room: while a recording arrives, while a job keeps a file, under the database.

A limit on the size of files is a full disk to a process: the write fails half way. The database's
own disk is a small one mounted for it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest
from django.db import connection

from config.demo import Client
from core.db.clock import database_now
from core.files.models import StoredFile
from core.jobs.models import Job, JobStatus, JobStep
from core.jobs.services import Origin, requeue_job
from meetings.models import Recording
from tests import make
from tests.disks import Disk, small_disk
from tests.faults import ledger
from tests.faults.site import Site
from tests.meetings.recordings import JFK
from tests.processes import wait_until
from tests.storage import files_below

LIMIT_BYTES = 256 * 1024
NO_ROOM = ("prlimit", f"--fsize={LIMIT_BYTES}")
SMALL_DISK = "faults_small_disk"


def stored_files() -> list[Path]:
    return files_below(ledger.folder() / "files")


def test_an_upload_without_room_is_refused_and_leaves_nothing(site: Site) -> None:
    assert JFK.stat().st_size > LIMIT_BYTES
    site.house.start("web", under=NO_ROOM)
    wait_until(lambda: site.answers("/api/health/live") == 200, "the web process answers")
    client = Client(site.house.port, make.api_key())
    meeting = client.create_meeting("Too long")
    status, problem = client.ask(
        "POST",
        f"/api/v1/meetings/{meeting}/recordings/",
        JFK.read_bytes(),
        {"Content-Type": "audio/flac"},
    )
    assert (status, problem["code"]) == (503, "storage.full")
    assert not any(model.objects.exists() for model in (StoredFile, Recording, Job))
    assert stored_files() == []
    assert site.nobody_died()


def test_a_job_without_room_for_its_file_waits_with_a_reason_and_leaves_nothing(
    site: Site,
) -> None:
    site.relay()
    full = site.worker(under=NO_ROOM)
    origin = Origin(make.organization().id)
    job = site.ask("faults.store", origin=origin, megabytes=1)
    waiting = Job.objects.filter(id=job.id, error_code="storage.full", status=JobStatus.QUEUED)
    wait_until(waiting.exists, "the job waits for room")
    assert not StoredFile.objects.exists()
    assert stored_files() == []
    assert full.poll() is None
    site.house.kill(full)

    site.worker()
    waiting.update(run_at=database_now())
    site.check_all_done_once()
    assert [path.stat().st_size for path in stored_files()] == [2**20]


def test_a_full_disk_does_not_stop_transcription_because_it_writes_no_files(site: Site) -> None:
    site.house.start("web")
    site.relay()
    site.house.start("speech", under=NO_ROOM)
    wait_until(lambda: site.answers("/api/health/live") == 200, "the web process answers")
    client = Client(site.house.port, make.api_key())
    accepted = client.upload(client.create_meeting("No room"), JFK)
    wait_until(lambda: Job.objects.get(id=accepted["job"]["id"]).has_ended, "the job has ended")
    assert Job.objects.get(id=accepted["job"]["id"]).status == JobStatus.SUCCEEDED
    assert [path.read_bytes() for path in stored_files()] == [JFK.read_bytes()]


@pytest.fixture
def database_disk(site: Site) -> Iterator[Disk]:
    """A disk of two megabytes on which the database keeps the outputs of steps."""
    folder = Path(mkdtemp(prefix="small-disk-", dir=site.servers.folder))
    owner = next(site.servers.folder.glob("pg*")).stat()
    with small_disk(folder) as disk:
        try:
            shutil.chown(folder, owner.st_uid, owner.st_gid)
            _move_steps_to(folder)
            yield disk
        finally:
            site.house.end()
            _move_steps_back()
    folder.rmdir()


def _move_steps_to(folder: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLESPACE {SMALL_DISK} LOCATION '{folder}'")
        cursor.execute(f"ALTER TABLE core_jobstep SET TABLESPACE {SMALL_DISK}")


def _move_steps_back() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE core_jobstep")
        cursor.execute("ALTER TABLE core_jobstep SET TABLESPACE pg_default")
        cursor.execute(f"DROP TABLESPACE {SMALL_DISK}")


def test_a_database_without_room_costs_an_attempt_and_keeps_no_half_of_a_step(
    site: Site, database_disk: Disk
) -> None:
    site.relay()
    site.worker()
    database_disk.fill()
    job = site.ask("faults.bulky", kilobytes=256)
    wait_until(lambda: Job.objects.get(id=job.id).has_ended, "the job has ended")
    job.refresh_from_db()
    assert (job.status, job.error_code) == (JobStatus.DEAD, "job.database_away")
    assert not JobStep.objects.exists()

    database_disk.empty()
    requeue_job(job=job)
    site.check_all_done_once()
    assert site.nobody_died()
