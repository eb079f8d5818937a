"""Publishing facts and telling those who listen."""

from __future__ import annotations

import math
import time
import uuid
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import structlog
from django.db import connection, transaction

from core.db.clock import database_now
from core.db.transactions import require_transaction
from core.events.models import Event
from core.events.registry import EventType, Subscriber, subscribers_of
from core.monitoring.requests import current_request_id

log = structlog.get_logger(__name__)

CHANNEL = "minutebook"
FIRST_RETRY_SECONDS = 2.0
LONGEST_RETRY_SECONDS = 600.0


def publish(
    kind: EventType,
    *,
    organization_id: uuid.UUID,
    data: Mapping[str, Any],
    actor_id: uuid.UUID | None = None,
) -> Event:
    """Write the fact into the outbox of the open transaction; the relay tells the listeners.

    Raises TypeError when `data` is not what the type declares and RuntimeError outside a
    transaction, because a fact and what made it true must commit together.
    """
    require_transaction("publish")
    kind.check_data(data)
    event = Event.objects.create(
        type=kind.name,
        version=kind.version,
        organization_id=organization_id,
        actor_id=actor_id,
        request_id=current_request_id(),
        data=dict(data),
    )
    wake_relay()
    return event


def wake_relay() -> None:
    """Ask sleeping relays to look at the tables once this transaction has committed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])


def fan_out(*, limit: int = 100, until: float = math.inf) -> int:
    """Tell the listeners of up to `limit` waiting events; return how many events were handled.

    Chosen by "not fanned out", never by "newer than the last": a transaction that commits late
    would be skipped. Listeners that take many events hear of these in one transaction; the others
    hear of each in a transaction of its own, so that no reaction holds the rows of another one.
    Stops early once `time.monotonic()` has passed `until`.
    """
    waiting = _waiting(limit)
    done = _fan_out_together(waiting)
    handled = len(done)
    for event_id in (one for one in waiting if one not in done):
        handled += _fan_out_one(event_id)
        if time.monotonic() >= until:
            break
    return handled


def _waiting(limit: int) -> list[uuid.UUID]:
    due = Event.objects.filter(fanned_out_at=None).exclude(next_try_at__gt=database_now())
    return list(due.order_by("occurred_at", "id").values_list("id", flat=True)[:limit])


def _fan_out_together(event_ids: list[uuid.UUID]) -> set[uuid.UUID]:
    """What can be done for many at once; which events were finished by it.

    All or nothing: where anything fails, each is told alone and only the one at fault waits.
    """
    if len(event_ids) < 2:
        return set()
    try:
        with transaction.atomic():
            held = _unspoilt(event_ids)
            _tell_together(held)
            return _record_finished(held)
    except Exception:
        log.exception("event.batch_failed", events=len(event_ids))
        return set()


def _unspoilt(event_ids: list[uuid.UUID]) -> list[Event]:
    """The locked events of which nothing has failed yet."""
    rows = Event.objects.select_for_update(skip_locked=True, of=("self",))
    fresh = rows.filter(id__in=event_ids, fanned_out_at=None, tries=0)
    return list(fresh.order_by("occurred_at", "id"))


def _tell_together(events: list[Event]) -> None:
    listening: dict[Subscriber, list[Event]] = defaultdict(list)
    for event in events:
        for subscriber in _unfinished(event):
            listening[subscriber].append(event)
    for subscriber, heard in listening.items():
        if subscriber.react_together:
            subscriber.react_together(heard)
            for event in heard:
                event.finished.append(subscriber.name)


def _record_finished(events: list[Event]) -> set[uuid.UUID]:
    """Write who has run, in one statement for all events that the same ones listen to."""
    alike: dict[tuple[tuple[str, ...], bool], list[uuid.UUID]] = defaultdict(list)
    for event in events:
        alike[tuple(event.finished), not _unfinished(event)].append(event.id)
    done: set[uuid.UUID] = set()
    for (finished, is_done), ids in alike.items():
        changes = {"fanned_out_at": database_now(), "tries": 1} if is_done else {}
        if is_done or finished:
            Event.objects.filter(id__in=ids).update(finished=list(finished), **changes)
        done.update(ids if is_done else ())
    return done


def _fan_out_one(event_id: uuid.UUID) -> int:
    with transaction.atomic():
        event = (
            Event.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(id=event_id, fanned_out_at=None)
            .first()
        )
        if event is None:
            return 0
        failures = [s for s in _unfinished(event) if not _tell(s, event)]
        _record_outcome(event, failed=bool(failures))
    return 1


def _unfinished(event: Event) -> list[Subscriber]:
    return [s for s in subscribers_of(event.type) if s.name not in event.finished]


def _tell(subscriber: Subscriber, event: Event) -> bool:
    """Run one subscriber in a savepoint, so that its failure undoes only its own work."""
    try:
        with transaction.atomic():
            subscriber.react(event)
    except Exception as error:
        log.exception("event.subscriber_failed", subscriber=subscriber.name, event_id=str(event.id))
        event.last_error = f"{subscriber.name}: {type(error).__name__}: {error}"[:2000]
        return False
    event.finished.append(subscriber.name)
    return True


def _record_outcome(event: Event, *, failed: bool) -> None:
    event.tries += 1
    if failed:
        delay = min(FIRST_RETRY_SECONDS * 2 ** (event.tries - 1), LONGEST_RETRY_SECONDS)
        event.next_try_at = database_now(plus_seconds=delay)
    else:
        event.fanned_out_at = database_now()
    event.save()
