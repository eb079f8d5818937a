"""Messages that come too often or never, and transactions that commit late."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import uuid

from celery import current_app
from django.db import connection, transaction

from config import devstack
from core.events import services as events
from core.events.models import Event
from core.jobs.events import EXAMPLE, JOB_DEAD
from core.jobs.models import Job, JobStatus
from core.jobs.services import HOUSEKEEPING, enqueue
from tests import make
from tests.faults import ledger
from tests.faults.site import Site, outcomes_of
from tests.processes import database_url, wait_until

# What a web process does for a job, and its end in the moment between the commit and the message.
COMMIT_AND_DIE = """
import os, signal
import django
django.setup()
from django.db import transaction
from core.jobs.services import HOUSEKEEPING, enqueue
from tests.faults import kinds

with transaction.atomic():
    transaction.on_commit(lambda: os.kill(os.getpid(), signal.SIGKILL))
    enqueue(kind="faults.work", origin=HOUSEKEEPING, arguments={"steps": 1, "seconds": 0.0})
"""


def test_twenty_messages_for_one_job_are_one_effect(site: Site) -> None:
    job = site.ask(steps=2, seconds=0.5)
    for _ in range(20):
        current_app.send_task(job.kind, kwargs={"job_id": str(job.id)}, queue=job.queue)
    site.worker(4)
    site.relay()
    site.check_all_done_once()
    assert len(ledger.payments()) == 2
    assert outcomes_of(job) == ["succeeded"]


def test_a_process_killed_between_commit_and_message_has_not_lost_the_job(site: Site) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    command = [sys.executable, "-c", COMMIT_AND_DIE]
    died = subprocess.run(command, cwd=devstack.ROOT, env=environment, check=False)
    assert died.returncode == -9
    (job,) = Job.objects.all()
    assert job.status == JobStatus.QUEUED
    assert job.dispatched_at is not None, "it counts as sent until the relay misses the message"

    site.jobs.append(job)
    site.worker()
    site.relay()
    site.check_all_done_once()


def test_a_transaction_that_commits_late_is_not_passed_over(site: Site) -> None:
    site.relay()
    site.worker()
    organization = make.organization()
    written, go_on = threading.Event(), threading.Event()
    late: list[Job] = []

    def hesitate() -> None:
        try:
            with transaction.atomic():
                late.append(_job_and_event(organization.id))
                written.set()
                go_on.wait(60)
        finally:
            connection.close()

    slow = threading.Thread(target=hesitate)
    slow.start()
    assert written.wait(30)
    with transaction.atomic():
        early = _job_and_event(organization.id)
    wait_until(lambda: Job.objects.get(id=early.id).has_ended, "the younger one is done")
    wait_until(lambda: Event.objects.get().fanned_out_at, "and its event told")
    go_on.set()
    slow.join()

    assert late[0].id < early.id
    site.jobs = [early, late[0]]
    site.check_all_done_once()
    told = Event.objects.filter(fanned_out_at__isnull=False)
    wait_until(lambda: told.count() == 2, "both events are told")


def _job_and_event(organization_id: uuid.UUID) -> Job:
    events.publish(JOB_DEAD, organization_id=organization_id, data=EXAMPLE)
    arguments = {"steps": 1, "seconds": 0.0}
    return enqueue(kind="faults.work", origin=HOUSEKEEPING, arguments=arguments)
