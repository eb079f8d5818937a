"""Creates deliveries for events, sends them again, and gives them up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from core import errors
from core.db.clock import database_now
from core.db.transactions import require_transaction
from core.events import services as events
from core.events.models import Event
from webhooks.delivery.retry_policy import KIND_GIVEN_UP
from webhooks.events import ABOUT_ENDPOINTS, DELIVERY_EXHAUSTED, ENDPOINT_TEST
from webhooks.models import Delivery, DeliveryStatus, Endpoint
from webhooks.queries import catalogue
from webhooks.queries import deliveries as delivery_queries
from webhooks.queries import endpoints as endpoint_queries
from webhooks.services import sender_jobs

MAX_AT_ONCE = 10_000
BATCH_SIZE = 500  # a statement may hold 65,535 values


class DeliveryNotEnded(errors.Conflict):
    """The delivery is being sent at this moment."""

    code = "delivery.not_ended"
    message = "This delivery is being sent at this moment. Wait for the result."


class DeliveryTooOld(errors.Conflict):
    """The delivery is too old to be sent again."""

    code = "delivery.too_old"
    message = "Only deliveries of the last 14 days can be sent again."


class EndpointIsDisabled(errors.Conflict):
    """Nothing is sent to a disabled endpoint."""

    code = "endpoint.is_disabled"
    message = "This endpoint is disabled. Enable it first."


def create_deliveries(*, events: Sequence[Event]) -> int:
    """Create a delivery per event and subscribed endpoint; returns how many.

    Part of the caller's transaction. Repeating it changes nothing.
    """
    require_transaction("create_deliveries")
    endpoints = defaultdict(list)
    for endpoint in endpoint_queries.enabled_of({event.organization_id for event in events}):
        endpoints[endpoint.organization_id].append(endpoint)
    wanted = [
        (event, endpoint.id)
        for event in events
        for endpoint in endpoints[event.organization_id]
        if _is_subscribed(endpoint, event)
    ]
    if not wanted:
        return 0
    # Locked: a foreign key is checked only at commit, too late to leave out a deleted endpoint.
    present = set(endpoint_queries.lock_present(list({endpoint_id for _, endpoint_id in wanted})))
    wanted = [(event, endpoint_id) for event, endpoint_id in wanted if endpoint_id in present]
    if not wanted:
        return 0
    bodies = {
        event.id: catalogue.body_of(event.type, event.occurred_at, event.data)
        for event, _ in wanted
    }
    now = database_now()
    Delivery.objects.bulk_create(
        [
            Delivery(
                organization_id=event.organization_id,
                event=event,
                endpoint_id=endpoint_id,
                event_type=event.type,
                body=bodies[event.id],
                next_attempt_at=now,
            )
            for event, endpoint_id in wanted
        ],
        batch_size=BATCH_SIZE,
        ignore_conflicts=True,
    )
    sender_jobs.request_sender()
    return len(wanted)


def _is_subscribed(endpoint: Endpoint, event: Event) -> bool:
    """Events about an endpoint are not sent to itself, except its own test, sent to it alone."""
    if event.type not in ABOUT_ENDPOINTS:
        return endpoint.subscribes_to(event.type)
    is_itself = event.data["endpoint_id"] == str(endpoint.id)
    if event.type == ENDPOINT_TEST.name:
        return is_itself
    return endpoint.subscribes_to(event.type) and not is_itself


def publish_exhausted(*, delivery: Delivery) -> Event | None:
    """Publish `delivery.exhausted`, except for a delivery that was itself about endpoints."""
    # An event about a failed event about endpoints would cause the next: a loop.
    if delivery.event_type in ABOUT_ENDPOINTS:
        return None
    return events.publish(
        DELIVERY_EXHAUSTED,
        organization_id=delivery.organization_id,
        data={
            "delivery_id": str(delivery.id),
            "endpoint_id": str(delivery.endpoint_id),
            "event_id": str(delivery.event_id),
            "event_type": delivery.event_type,
            "error_kind": delivery.last_error_kind,
            "status_code": delivery.last_status_code,
        },
    )


def replay_delivery(*, delivery: Delivery) -> Delivery:
    """Start a new round of attempts now, also after a success, with the same bytes.

    A pause of the endpoint ends. Raises DeliveryNotEnded, DeliveryTooOld or EndpointIsDisabled.
    """
    with transaction.atomic():
        # The endpoint is locked before its deliveries everywhere, against deadlocks.
        _end_pauses(Endpoint.objects.filter(id=delivery.endpoint_id))
        rows = Delivery.objects.select_for_update(no_key=True, of=("self",))
        locked = rows.select_related("endpoint").filter(id=delivery.id).first()
        if locked is None:
            raise errors.NotFound
        if not locked.endpoint.is_enabled:
            raise EndpointIsDisabled
        if locked.status == DeliveryStatus.RUNNING:
            raise DeliveryNotEnded
        now = database_now()
        if locked.created_at <= now - delivery_queries.REPLAYABLE_FOR:
            raise DeliveryTooOld
        changes = _new_round(now)
        for name, value in changes.items():
            setattr(locked, name, value)
        locked.save(update_fields=list(changes))
        sender_jobs.request_sender()
    replayed: Delivery = locked
    return replayed


def replay_deliveries(*, deliveries: QuerySet[Delivery]) -> int:
    """Start new rounds for those that ended or failed so far; returns how many.

    Skips deliveries that cannot be replayed, see `replay_delivery`. Pauses of their endpoints end.
    At most 10,000, the oldest first: a caller that gets this number asks again.
    """
    with transaction.atomic():
        now = database_now()
        replayable = delivery_queries.replayable(deliveries, now)
        _end_pauses(Endpoint.objects.filter(id__in=replayable.values("endpoint_id")))
        locked = replayable.select_for_update(no_key=True, skip_locked=True, of=("self",))
        ids = locked.values("id")[:MAX_AT_ONCE]
        replayed = Delivery.objects.filter(id__in=ids).update(**_new_round(now))
        if replayed:
            sender_jobs.request_sender()
    return replayed


def recover(*, endpoint: Endpoint, since: datetime, until: datetime | None = None) -> int:
    """Send again what was given up or failed since a time; returns how many deliveries.

    A pause of the endpoint ends in any case. Raises EndpointIsDisabled, Invalid for a time in the
    future, and DeliveryTooOld for one more than 14 days ago.
    """
    if not endpoint.is_enabled:
        raise EndpointIsDisabled
    now = database_now()
    if since > now:
        raise errors.Invalid(fields={"since": ["This time is in the future."]})
    # Five minutes more, for a client that computes "14 days ago" before it asks.
    if since < now - delivery_queries.REPLAYABLE_FOR - timedelta(minutes=5):
        raise DeliveryTooOld
    lost = delivery_queries.of_endpoint(endpoint).undelivered().filter(created_at__gte=since)
    if until:
        lost = lost.filter(created_at__lt=until)
    with transaction.atomic():
        _end_pauses(Endpoint.objects.filter(id=endpoint.id))
        replayed = replay_deliveries(deliveries=lost)
        # Last, for other requests for a sender wait until this transaction ends.
        sender_jobs.request_sender()
    return replayed


def give_up_waiting() -> int:
    """Give up all waiting deliveries of all organizations, without an event; returns how many.

    For operators: a restored backup holds deliveries that were sent since it was made.
    """
    given_up = 0
    while True:
        with transaction.atomic():
            now = database_now()
            # Claimed deliveries are left: those without a sender are queued again when their lease
            # expires.
            locked = Delivery.objects.queued().select_for_update(no_key=True, skip_locked=True)
            ids = list(locked.order_by("id").values_list("id", flat=True)[:BATCH_SIZE])
            if not ids:
                return given_up
            given_up += Delivery.objects.filter(id__in=ids).update(
                status=DeliveryStatus.DEAD,
                last_error_kind=KIND_GIVEN_UP,
                last_status_code=None,
                next_attempt_at=None,
                ended_at=now,
                updated_at=now,
            )


def _end_pauses(endpoints: QuerySet[Endpoint]) -> None:
    # Failures in a row stay, so that one attempt shows whether the endpoint works again.
    paused = endpoints.filter(paused_until__isnull=False).order_by("id")
    ids = list(paused.select_for_update(no_key=True).values_list("id", flat=True))
    if ids:
        Endpoint.objects.filter(id__in=ids).update(paused_until=None, updated_at=database_now())


def _new_round(now: datetime) -> dict[str, Any]:
    # The result of the last attempt stays, to be shown until the next one.
    return {
        "status": DeliveryStatus.QUEUED,
        "attempt_count": 0,
        "next_attempt_at": now,
        "ended_at": None,
        "updated_at": now,
    }
