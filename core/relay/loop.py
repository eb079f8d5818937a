"""The relay: sends what was missed, recovers what was lost, tells the listeners of events.

Any number of relays may run. Each round is a few indexed queries; between rounds a relay sleeps on
LISTEN, so a commit wakes it at once, and the poll only covers what no commit announces (a pause
that ends, a lease that lapses).
"""

from __future__ import annotations

import threading
import time
import uuid
from typing import NamedTuple

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import Exists, OuterRef
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from core.db.clock import database_now
from core.events import services as events
from core.jobs import dispatch, transitions
from core.jobs.failures import LOST, LeaseLost
from core.jobs.models import ACTIVE, AttemptOutcome, Job, JobStatus
from core.relay import chores

log = structlog.get_logger(__name__)

LONGEST_PAUSE_SECONDS = 10.0
BATCH = 200
TELLING_SECONDS = 1.0  # events that come faster than they are told must not keep the rest waiting


class Round(NamedTuple):
    """How many things a round moved, and whether events wait that it had no time for."""

    moved: int
    is_behind: bool


def run(stop: threading.Event) -> None:
    """Do rounds until `stop` is set; outlive a database or broker that is away."""
    pause = settings.RELAY_PERIOD_SECONDS
    while not stop.is_set():
        try:
            _listen()
            is_behind = do_round().is_behind
            chores.run_due()
            pause = settings.RELAY_PERIOD_SECONDS
            _sleep(0 if is_behind else pause)
        except (DatabaseError, InterfaceError) as error:
            log.warning("relay.database_away", error=str(error))
            pause = _rest(stop, pause)
        except Exception:
            log.exception("relay.round_failed")
            pause = _rest(stop, pause)


def _rest(stop: threading.Event, pause: float) -> float:
    """Let go of the connection and wait; the longer pause to wait after that."""
    connection.close()
    stop.wait(pause)
    return min(pause * 2, LONGEST_PAUSE_SECONDS)


def do_round() -> Round:
    """One round. Telling the listeners ends after a while, however many events still wait."""
    moved = recover_lost() + resume_parents()
    told, is_behind = _tell_listeners()
    try:
        moved += dispatch.fill_windows() + dispatch.dispatch_again()
    except (dispatch.BrokerAway, BrokerError, RedisError, OSError) as error:
        log.warning("relay.broker_away", error=str(error))
    return Round(moved + told, is_behind)


def _tell_listeners() -> tuple[int, bool]:
    """Batch after batch, for about a second; how many events, and whether more may wait."""
    until, told = time.monotonic() + TELLING_SECONDS, 0
    while done := events.fan_out(until=until):
        told += done
        if time.monotonic() >= until:
            break
    return told, done > 0


def recover_lost() -> int:
    """End the attempts whose lease has lapsed: their worker vanished, sleeps or cannot write."""
    lapsed = Job.objects.filter(status=JobStatus.RUNNING, lease_until__lt=database_now())
    return sum(_recover(job_id) for job_id in lapsed.values_list("id", flat=True)[:BATCH])


def _recover(job_id: uuid.UUID) -> int:
    """A row that another holds, perhaps for long, is skipped and looked at in the next round."""
    try:
        with transaction.atomic():
            job = transitions.lock(job_id, wait=False)
            if job.status != JobStatus.RUNNING or job.lease_until is None:
                return 0
            if job.lease_until > database_now():
                return 0
            log.warning("job.lease_lapsed", job_id=str(job.id), kind=job.kind)
            if job.cancel_requested_at is not None:
                transitions.cancel(job)
            else:
                transitions.fail(job, LOST, outcome=AttemptOutcome.LOST)
    except LeaseLost:  # the job was deleted meanwhile, or somebody holds it
        return 0
    return 1


def resume_parents() -> int:
    """Wake parents that wait for nobody: the last child's own wake-up was undone by an accident."""
    at_work = Job.objects.filter(parent=OuterRef("id"), status__in=ACTIVE)
    forgotten = Job.objects.filter(~Exists(at_work), status=JobStatus.RUNNING, lease_until=None)
    return sum(_resume(job_id) for job_id in forgotten.values_list("id", flat=True)[:BATCH])


def _resume(job_id: uuid.UUID) -> int:
    try:
        with transaction.atomic():
            job = transitions.lock(job_id, wait=False)
            if not job.is_waiting or job.children.filter(status__in=ACTIVE).exists():
                return 0
            transitions.resume(job)
    except LeaseLost:
        return 0
    return 1


def _listen() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {events.CHANNEL}")


def _sleep(seconds: float) -> None:
    """Until somebody commits something for the relay, or the period has passed.

    All that has arrived is taken at once: a hundred commits ask for one round, not for a hundred.
    """
    with connection.wrap_database_errors:
        for _ in connection.connection.notifies(timeout=seconds, stop_after=1):
            pass
        for _ in connection.connection.notifies(timeout=0):
            pass
