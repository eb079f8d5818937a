"""The jobs and periodic chores of webhooks."""

from __future__ import annotations

from typing import Any

from core.jobs.kinds import job
from core.jobs.run import Run
from core.relay import chores
from webhooks.queries import inbound_messages as inbound_queries
from webhooks.services import inbound_messages, outcomes, retention, sender_jobs, senders


@job(
    sender_jobs.KIND,
    queue="webhook",
    time_limit_seconds=senders.time_limit_seconds(),
    internal=True,
)
def send_deliveries(run: Run, *, slot: int, **_: Any) -> None:
    """Send due deliveries."""
    senders.send_deliveries(run=run, slot=slot)


@job(retention.KIND, queue="default", every_seconds=3600)
def prune_deliveries(run: Run, **_: Any) -> None:
    """Delete old deliveries, and deleted endpoints with theirs."""
    run.report(0.0, f"{retention.prune()} deliveries removed")


# Not in the queue `webhook`, whose processes are busy with senders for minutes.
@job(inbound_messages.KIND, queue="default", internal=True)
def handle_message(run: Run, *, inbound_message_id: str, **_: Any) -> None:
    """Publish an inbound message as an event."""
    message = inbound_queries.message_for_work(inbound_message_id)
    inbound_messages.handle(run=run, message=message)


@job("webhooks.prune_messages", queue="default", every_seconds=3600)
def prune_messages(run: Run, **_: Any) -> None:
    """Delete old inbound messages."""
    run.report(0.0, f"{inbound_messages.prune()} messages removed")


chores.register("webhooks.due_deliveries", every_seconds=1, work=sender_jobs.request_senders)
chores.register("webhooks.lost_deliveries", every_seconds=2, work=outcomes.requeue_expired)
