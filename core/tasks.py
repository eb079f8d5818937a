"""Core's own background work, and the chores the relay runs for it."""

from __future__ import annotations

from typing import Any

from core.files import incoming
from core.files import services as files
from core.http.idempotency import sweep_idempotency_keys
from core.jobs import sweeps
from core.jobs.kinds import job
from core.jobs.run import Run
from core.notifications import queries as notification_queries
from core.notifications import services as notifications


@job("core.delete_files", queue="default", attempts=5)
def delete_files(run: Run, *, keys: list[str], **_: Any) -> None:
    """Remove the bytes of rows that are gone."""
    for position, key in enumerate(keys):
        files.delete_bytes(key)
        run.report((position + 1) / len(keys), "deleting")


@job(notifications.EMAIL_KIND, queue="notification")
def send_notification(run: Run, *, notification_id: str, **_: Any) -> None:
    """Send somebody the e-mail of a notification."""
    row = notification_queries.notification_for_work(notification_id)
    run.report(0.0, "sending")
    notifications.send_email(notification=row)


sweeps.register("core.uploads", every_seconds=3600, work=incoming.sweep_uploads)
sweeps.register("core.files", every_seconds=24 * 3600, work=files.sweep_unnamed)
sweeps.register("core.idempotency_keys", every_seconds=600, work=sweep_idempotency_keys)
