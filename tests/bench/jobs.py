"""Background work: what a durable job costs beside a Celery task, and what a long history does.

Worker and relay run as in production, on the servers with production's durability. The three ways
of doing nothing take turns; each figure is the best of its rounds. CPU is that of everything that
takes part: this process that asks, the worker with its children, the relay where it is needed, the
database and the broker. Buffers are the blocks that EXPLAIN counts.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import redis
from celery import current_app
from django.conf import settings
from django.db import connection, transaction
from django_celery_results.models import TaskResult

from core.accounts.models import Organization
from core.jobs import dispatch, transitions
from core.jobs.models import ACTIVE, Job
from core.jobs.services import HOUSEKEEPING, Origin, enqueue
from meetings.models import Meeting
from tests import make
from tests.bench import noop
from tests.bench.harness import Compare, Goal, fastest
from tests.processes import House, house, wait_until

TASKS = 400
DRAINED = 1000
COMMITS = 100
FEW, MANY = 1_000, 1_000_000
WORKER = ("-I", "tests.bench.noop", "-Q", "default")

HISTORY = """
INSERT INTO core_job (id, created_at, updated_at, kind, queue, status, priority, arguments,
    dedup_key, attempts, max_attempts, run_at, lease_owner, lease_token, dispatch_count, progress,
    step,
    error_code, error_message, request_id, organization_id, started_at, ended_at)
SELECT gen_random_uuid(), at, at, 'bench.durable', 'default', 'succeeded', 0, '{}', '', 1, 3, at,
    '', 1, 0, 1, '', '', '', '', %s, at, at
  FROM (SELECT now() - make_interval(secs => n) AS at FROM generate_series(1, %s) AS n) AS past
"""


def measure() -> list[Goal]:
    """The goals of the job engine."""
    with _running("relay") as started:
        with _worker(started, "2"):
            goals = _cost(started)
        goals += _latency()
        goals += _drain(started)
    return goals + _history()


@contextmanager
def _running(*names: str) -> Iterator[House]:
    folder = Path(tempfile.mkdtemp(prefix="minutebook-bench-"))
    with house(
        folder,
        JOB_LEASE_SECONDS="30",
        RELAY_PERIOD_SECONDS="1",
        WORKER_MAX_TASKS_PER_CHILD="100000",
    ) as started:
        for name in names:
            started.start(name)
        yield started


@contextmanager
def _worker(started: House, processes: str) -> Iterator[None]:
    worker = started.start("worker", *WORKER, "-c", processes)
    try:
        _ask_and_wait_for_durable(2 * int(processes))
        yield
    finally:
        worker.terminate()
        worker.wait()


def _cost(started: House) -> list[Goal]:
    """CPU for one task, asking and doing, of each of the three ways."""
    who = [*_python_of(started), *_servers()]
    whole = fastest({name: _cpu_of(work, who) for name, work in WAYS.items()}, rounds=3)
    each = {name: 1e6 * seconds / TASKS for name, seconds in whole.items()}
    return [
        Goal("CPU of a bare Celery task", None, each["bare"], "us"),
        Goal("durable job / bare task, CPU", 3, each["durable"] / each["bare"]),
        Goal(
            "recorded task / durable job, CPU",
            2,
            each["recorded"] / each["durable"],
            compare=Compare.AT_LEAST,
            enforced=False,  # out of reach: core/jobs/README.md says why
        ),
        Goal(
            "what durable adds / what recording adds, CPU",
            2,
            (each["durable"] - each["bare"]) / (each["recorded"] - each["bare"]),
            enforced=False,
        ),
    ]


def _python_of(started: House) -> list[psutil.Process]:
    mine = [psutil.Process()]
    for process in started.started:
        root = psutil.Process(process.pid)
        mine += [root, *root.children(recursive=True)]
    return mine


def _servers() -> list[psutil.Process]:
    """The processes of the database, one per connection, and of the broker."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        postmaster = psutil.Process(cursor.fetchone()[0]).parent()
    assert postmaster is not None
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        served = psutil.Process(int(broker.info("server")["process_id"]))
    return [postmaster, *postmaster.children(recursive=True), served]


def _cpu_of(work: Callable[[], None], who: list[psutil.Process]) -> Callable[[], float]:
    def run() -> float:
        before = _cpu(who)
        work()
        return _cpu(who) - before

    return run


def _cpu(who: list[psutil.Process]) -> float:
    total = 0.0
    for process in who:
        if process.is_running():
            took = process.cpu_times()
            total += took.user + took.system
    return total


def _ask_and_wait_for_durable(tasks: int = TASKS) -> None:
    for _ in range(tasks):
        with transaction.atomic():
            enqueue(kind=noop.DURABLE, origin=HOUSEKEEPING, arguments={})
    wait_until(
        lambda: not Job.objects.filter(status__in=ACTIVE).exists(), "all are done", every=0.2
    )


def _send(name: str) -> None:
    for _ in range(TASKS):
        current_app.send_task(name, kwargs={"job_id": str(uuid.uuid4())}, queue="default")


def _send_bare() -> None:
    _send(noop.BARE)
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        wait_until(lambda: broker.llen("default") == 0, "all were taken", every=0.2)
    time.sleep(0.5)


def _send_recorded() -> None:
    TaskResult.objects.all().delete()
    _send(noop.RECORDED)
    done = TaskResult.objects.filter(status="SUCCESS")
    wait_until(lambda: done.count() == TASKS, "all are recorded", every=0.2)


WAYS: dict[str, Callable[[], None]] = {
    "bare": _send_bare,
    "durable": _ask_and_wait_for_durable,
    "recorded": _send_recorded,
}


def _latency() -> list[Goal]:
    """What a job adds to a transaction of one row, and to the request that creates a meeting."""
    actor = make.actor()
    client = make.client(actor)

    def commit() -> uuid.UUID:
        return Meeting.objects.create(organization=actor.organization, title="Meeting").id

    def request() -> uuid.UUID:
        address, body = "/api/v1/meetings/", {"title": "Meeting"}
        return uuid.UUID(client.post(address, body, SERVER_NAME="localhost").json()["id"])

    origin = Origin(actor.organization.id)
    took = fastest(
        {
            "commit": partial(_median, commit, None),
            "commit and job": partial(_median, commit, origin),
            "request": partial(_median, request, None),
            "request and job": partial(_median, request, origin),
        },
        rounds=5,
    )
    added = took["commit and job"] - took["commit"]
    return [
        Goal("business commit alone, median", None, 1000 * took["commit"], "ms"),
        Goal("what a job adds to it", None, 1000 * added, "ms"),
        Goal(
            "commit with a job / alone",
            1.15,
            took["commit and job"] / took["commit"],
            enforced=False,  # a second row and a message; a request is what somebody waits for
        ),
        Goal(
            "request with a job / alone",
            1.15,
            took["request and job"] / took["request"],
            enforced=False,
        ),
    ]


def _median(work: Callable[[], uuid.UUID], origin: Origin | None) -> float:
    """Of many, seconds until the transaction is over and the message for a job of it is sent."""
    times = []
    for _ in range(COMMITS):
        begun = time.perf_counter()
        with transaction.atomic():
            subject_id = work()
            if origin:
                enqueue(kind=noop.DURABLE, origin=origin, arguments={}, subject_id=subject_id)
        times.append(time.perf_counter() - begun)
        Job.objects.all().delete()
    return statistics.median(times)


def _drain(started: House) -> list[Goal]:
    """A thousand jobs of one organization, asked for at once, done by two workers."""
    organization = Organization.objects.create(name="Drain")
    with _worker(started, "1"), _worker(started, "1"):
        Job.objects.all().delete()
        begun = time.perf_counter()
        with transaction.atomic():
            for _ in range(DRAINED):
                enqueue(kind=noop.DURABLE, origin=Origin(organization.id), arguments={})
        left = Job.objects.filter(status__in=ACTIVE)
        wait_until(lambda: not left.exists(), "the thousand are done", every=0.1)
        took = time.perf_counter() - begun
    waits = sorted(
        (begun_at - asked_at).total_seconds()
        for asked_at, begun_at in Job.objects.values_list("created_at", "started_at")
        if begun_at is not None
    )
    return [
        Goal("1,000 jobs by two workers", None, DRAINED / took, "jobs/s"),
        Goal("wait of the 950th", None, waits[int(0.95 * len(waits))], "s"),
    ]


def _history() -> list[Goal]:
    """Blocks touched by a claim and by a look for the next jobs, before and after a million."""
    few = _blocks(FEW)
    many = _blocks(MANY - FEW)
    return [
        Goal(f"{name}: blocks with {MANY:,} ended jobs / {FEW:,}", 1.25, many[name] / few[name])
        for name in few
    ]


def _blocks(more: int) -> dict[str, int]:
    Job.objects.filter(status__in=ACTIVE).delete()
    organization = Organization.objects.create(name=f"{more} more")
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '10min'")
        cursor.execute(HISTORY, [organization.id, more])
        cursor.execute("VACUUM ANALYZE core_job")
    with transaction.atomic():
        jobs = [
            enqueue(kind=noop.DURABLE, origin=Origin(organization.id), arguments={})
            for _ in range(100)
        ]
    Job.objects.filter(id__in=[job.id for job in jobs[50:]]).update(dispatched_at=None)
    limits = {"window": 64, "share": 64, "cap": 1, "queue": "default"}
    return {
        "claim": _touched(transitions.CLAIM, transitions._claim_values(jobs[0].id, "bench")),
        "next to send": _touched(dispatch.DISPATCH_NEXT, limits),
    }


def _touched(statement: str, values: dict[str, Any]) -> int:
    """Blocks, read or found in memory, of a second run; what it writes is rolled back."""
    touched = 0
    for _ in range(2):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", values)
            answer = cursor.fetchone()[0]
            transaction.set_rollback(True)
        plan = (json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]
        touched = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return int(touched)
