"""What the jobs of these tests really did: effects in a table, paid calls in a file.

The table has no constraint, so that an effect which happens twice is seen twice. Each paid call
leaves a line with a receipt, and its receipt is the output of the step: a line after the kept one
is a step computed again.
"""

from __future__ import annotations

import os
import time
import uuid
from collections import Counter
from pathlib import Path

from django.db import connection

from core.jobs.models import JobStep
from core.jobs.run import Run

FOLDER = "FAULTS_FOLDER"


def open_table() -> None:
    """An empty table of effects."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS faults_effect (job_id uuid, token integer)")
        cursor.execute("TRUNCATE faults_effect")


def write_effect(run: Run) -> None:
    """In the transaction that ends the job."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO faults_effect VALUES (%s, %s)", [run.id, run.token])


def effects() -> Counter[uuid.UUID]:
    """How often each job took effect."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT job_id FROM faults_effect")
        return Counter(row[0] for row in cursor.fetchall())


def pay(run: Run, step: str, seconds: float) -> str:
    """A call that takes a while and costs money; returns its receipt."""
    time.sleep(seconds)
    receipt = uuid.uuid4().hex
    with _paid().open("a") as file:
        file.write(f"{run.id} {step} {receipt}\n")
    return receipt


def payments() -> list[tuple[str, str, str]]:
    """Job, step and receipt of every call so far."""
    lines = _paid().read_text().splitlines() if _paid().exists() else []
    return [(words[0], words[1], words[2]) for words in map(str.split, lines)]


def paid_again() -> list[tuple[str, str]]:
    """Steps with a call after the one that was kept."""
    last = {(job, step): receipt for job, step, receipt in payments()}
    kept = JobStep.objects.filter(job__kind="faults.work")
    return [
        (str(step.job_id), step.name)
        for step in kept
        if last.get((str(step.job_id), step.name)) != step.output
    ]


def folder() -> Path:
    """Where the processes of this test leave their traces."""
    return Path(os.environ[FOLDER])


def _paid() -> Path:
    return folder() / "paid"
