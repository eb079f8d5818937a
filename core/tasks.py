"""Core's own background work, and the chores the relay runs for it."""

from __future__ import annotations

import time
from typing import Any

from celery import shared_task
from django.conf import settings
from django.db import transaction

from core.accounts import invitations
from core.files import incoming, local_cache, marker, verification
from core.files import services as files
from core.http.idempotency import sweep_idempotency_keys
from core.jobs import periodic, results, retention
from core.jobs.kinds import job
from core.jobs.run import Run
from core.jobs.services import Origin, enqueue
from core.notifications import queries as notification_queries
from core.notifications import services as notifications
from core.relay import chores

VERIFYING_SECONDS = 60.0


@job("core.delete_files", queue="default", attempts=5, internal=True)
def delete_files(run: Run, *, keys: list[str], **_: Any) -> None:
    """Remove the bytes of rows that are gone."""
    marker.check_storage()  # in another storage they would seem to be gone already
    for position, key in enumerate(keys):
        files.delete_bytes(key)
        run.report((position + 1) / len(keys), "deleting")


@job(notifications.EMAIL_KIND, queue="notification", internal=True)
def send_notification(run: Run, *, notification_id: str, **_: Any) -> None:
    """Send somebody the e-mail of a notification."""
    row = notification_queries.notification_for_work(notification_id)
    run.report(0.0, "sending")
    notifications.send_email(notification=row)


@job(notifications.INVITATION_KIND, queue="notification", internal=True)
def send_invitation(run: Run, *, invitation_id: str, **_: Any) -> None:
    """Mail an invitation, unless it was accepted or withdrawn meanwhile."""
    invitation = notification_queries.invitation_for_work(invitation_id)
    run.report(0.0, "sending")
    notifications.send_invitation(invitation=invitation)


@job("core.sweep_files", queue="default", every_seconds=24 * 3600, time_limit_seconds=3600)
def sweep_files(run: Run, **_: Any) -> None:
    """Remove stored bytes that no row names."""
    run.report(0.0, "looking for files that nobody names")
    files.sweep_unnamed()


@job("core.verify_files", queue="default", every_seconds=3600, time_limit_seconds=1800)
def verify_files(run: Run, **_: Any) -> None:
    """Verify files for a minute, the next ones an hour later, each about once a month."""
    until = time.monotonic() + VERIFYING_SECONDS
    for stored in verification.files_to_verify().iterator():
        run.report(0.0, "verifying stored files")
        verification.verify(stored)
        if time.monotonic() >= until:
            break


@job("core.prune_jobs", queue="default", every_seconds=3600)
def prune_jobs(run: Run, **_: Any) -> None:
    """Remove the oldest of the jobs that ended."""
    run.report(0.0, f"{retention.prune()} jobs removed")


@shared_task(name=periodic.TICK, ignore_result=True)
def tick(**_: Any) -> None:
    """Beat's only task, where one runs: the same as the relay's chore below."""
    periodic.tick()


def remove_abandoned_files() -> None:
    """Ask for the removal of bytes whose process ended before their row was committed."""
    with transaction.atomic():
        for organization_id, keys in files.take_abandoned().items():
            origin = Origin(organization_id=organization_id)
            enqueue(kind="core.delete_files", origin=origin, arguments={"keys": keys})


chores.register("core.periodic", every_seconds=settings.CLOCK_PERIOD_SECONDS, work=periodic.tick)
chores.register("core.pending_files", every_seconds=15, work=remove_abandoned_files)
chores.register("core.uploads", every_seconds=3600, work=incoming.sweep_uploads)
chores.register("core.fetched_files", every_seconds=3600, work=local_cache.sweep)
chores.register(
    "core.invitations", every_seconds=24 * 3600, work=invitations.delete_expired_invitations
)
chores.register("core.notifications", every_seconds=3600, work=notifications.sweep)
chores.register("core.task_results", every_seconds=3600, work=results.prune)
chores.register("core.idempotency_keys", every_seconds=600, work=sweep_idempotency_keys)
