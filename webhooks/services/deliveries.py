"""What endpoints are owed: writing it down, and owing it again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from core import errors
from core.db.clock import database_now
from core.db.transactions import require_transaction
from core.events import services as events
from core.events.models import Event
from webhooks.delivery.retry_policy import IS_GIVEN_UP
from webhooks.events import ABOUT_ENDPOINTS, DELIVERY_EXHAUSTED, ENDPOINT_TEST
from webhooks.models import Delivery, DeliveryStatus, Endpoint
from webhooks.queries import catalogue
from webhooks.queries import deliveries as delivery_queries
from webhooks.queries import endpoints as endpoint_queries
from webhooks.services import sender_jobs

MOST_AT_ONCE = 10_000
ROWS_AT_ONCE = 500  # of a statement that may hold 65,535 values


class DeliveryNotEnded(errors.Conflict):
    """What is being sent at this moment needs no other round."""

    code = "delivery.not_ended"
    message = "This delivery is being sent at this moment. See first what comes of it."


class DeliveryTooOld(errors.Conflict):
    """What happened so long ago is not told again."""

    code = "delivery.too_old"
    message = "Only what was owed within the last 14 days can be delivered again."


class EndpointIsDisabled(errors.Conflict):
    """Nothing is sent there, so nothing can be owed to it anew."""

    code = "endpoint.is_disabled"
    message = "Nothing is sent to this endpoint at present. Enable it first."


def owe(*, event: Event) -> int:
    """Write a delivery of a public event for each enabled endpoint that hears it; how many hear it.

    In the transaction of who asks, and as often as that: the second time changes nothing. What is
    about an endpoint is never sent to it, but for its own test.
    """
    return owe_all(happened=[event])


def owe_all(*, happened: Sequence[Event]) -> int:
    """The same for many events, in as many statements: their fan-out. How many deliveries."""
    require_transaction("owe")
    enabled = defaultdict(list)
    for endpoint in endpoint_queries.enabled_of({one.organization_id for one in happened}):
        enabled[endpoint.organization_id].append(endpoint)
    meant = [
        (event, one.id)
        for event in happened
        for one in enabled[event.organization_id]
        if _is_meant(one, event)
    ]
    held = set(endpoint_queries.hold(list({one for _, one in meant}))) if meant else set()
    owed = [(event, endpoint_id) for event, endpoint_id in meant if endpoint_id in held]
    if owed:
        _write(owed)
        sender_jobs.ask_for_sender()
    return len(owed)


def _is_meant(endpoint: Endpoint, event: Event) -> bool:
    if event.type not in ABOUT_ENDPOINTS:
        return endpoint.hears(event.type)
    is_itself = event.data["endpoint_id"] == str(endpoint.id)
    if event.type == ENDPOINT_TEST.name:
        return is_itself
    return endpoint.hears(event.type) and not is_itself


def _write(owed: list[tuple[Event, UUID]]) -> None:
    bodies = {
        event.id: catalogue.body_of(event.type, event.occurred_at, event.data) for event, _ in owed
    }
    moment = database_now()
    Delivery.objects.bulk_create(
        [
            Delivery(
                organization_id=event.organization_id,
                event=event,
                endpoint_id=endpoint_id,
                event_type=event.type,
                body=bodies[event.id],
                next_attempt_at=moment,
            )
            for event, endpoint_id in owed
        ],
        batch_size=ROWS_AT_ONCE,
        ignore_conflicts=True,
    )


def tell_exhausted(*, delivery: Delivery) -> Event | None:
    """Publish that a delivery was given up; None for one that was itself about endpoints."""
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
    """Begin a new round of attempts at once, also after a success; the bytes are the same.

    One that waits for its next attempt is sent now. A pause of its endpoint ends: somebody says
    that it works. Raises DeliveryNotEnded, DeliveryTooOld or EndpointIsDisabled.
    """
    with transaction.atomic():
        _end_pauses(Endpoint.objects.filter(id=delivery.endpoint_id))  # endpoint first, as all do
        held = _lock(delivery)
        if not held.endpoint.is_enabled:
            raise EndpointIsDisabled
        if held.status == DeliveryStatus.RUNNING:
            raise DeliveryNotEnded
        moment = database_now()
        if held.created_at <= moment - delivery_queries.REPLAYABLE_FOR:
            raise DeliveryTooOld
        round_ = _new_round(moment)
        for name, value in round_.items():
            setattr(held, name, value)
        held.save(update_fields=list(round_))
        sender_jobs.ask_for_sender()
    return held


def replay_deliveries(*, deliveries: QuerySet[Delivery]) -> int:
    """Begin a new round of those that ended or failed so far, in one statement; how many.

    Passes over what cannot be replayed, see `replay_delivery`. Pauses of their endpoints end. At
    most 10,000, the oldest first: whoever gets that number asks again.
    """
    with transaction.atomic():
        moment = database_now()
        chosen = delivery_queries.replayable(deliveries, moment)
        _end_pauses(Endpoint.objects.filter(id__in=chosen.values("endpoint_id")))
        held = chosen.select_for_update(no_key=True, skip_locked=True, of=("self",))
        ids = held.values("id")[:MOST_AT_ONCE]
        replayed = Delivery.objects.filter(id__in=ids).update(**_new_round(moment))
        if replayed:
            sender_jobs.ask_for_sender()
    return replayed


def recover(*, endpoint: Endpoint, since: datetime, until: datetime | None = None) -> int:
    """Owe an endpoint again what was given up or failed since a time; how many deliveries that is.

    A pause of the endpoint ends, also when there is nothing to owe again. Raises
    EndpointIsDisabled, Invalid for a time that has not come, and DeliveryTooOld for one more than
    14 days ago.
    """
    if not endpoint.is_enabled:
        raise EndpointIsDisabled
    moment = database_now()
    if since > moment:
        raise errors.Invalid(fields={"since": ["This time has not come yet."]})
    if since < moment - delivery_queries.REPLAYABLE_FOR - timedelta(minutes=5):
        raise DeliveryTooOld
    lost = delivery_queries.of_endpoint(endpoint).undelivered().filter(created_at__gte=since)
    with transaction.atomic():
        _end_pauses(Endpoint.objects.filter(id=endpoint.id))
        replayed = replay_deliveries(
            deliveries=lost.filter(created_at__lt=until) if until else lost
        )
        sender_jobs.ask_for_sender()  # last: others who ask wait for this transaction
    return replayed


def give_up_waiting() -> int:
    """Give up what waits to be sent, of all organizations and without an event; how many.

    For operators: a restored backup holds deliveries that were sent since it was taken. What a
    sender held comes back to the queue by `webhooks.lost_deliveries`, unless it is held still.
    """
    given_up = 0
    while True:
        with transaction.atomic():
            moment = database_now()
            locked = Delivery.objects.queued().select_for_update(no_key=True, skip_locked=True)
            ids = list(locked.order_by("id").values_list("id", flat=True)[:ROWS_AT_ONCE])
            if not ids:
                return given_up
            given_up += Delivery.objects.filter(id__in=ids).update(
                status=DeliveryStatus.DEAD,
                last_error_kind=IS_GIVEN_UP,
                last_status_code=None,
                next_attempt_at=None,
                ended_at=moment,
                updated_at=moment,
            )


def _end_pauses(endpoints: QuerySet[Endpoint]) -> None:
    """Let them be tried at once. Failures in a row stay: the next attempt asks whether it works."""
    paused = endpoints.filter(paused_until__isnull=False).order_by("id")
    ids = list(paused.select_for_update(no_key=True).values_list("id", flat=True))
    if ids:
        Endpoint.objects.filter(id__in=ids).update(paused_until=None, updated_at=database_now())


def _lock(delivery: Delivery) -> Delivery:
    """The locked delivery with its endpoint. Raises NotFound when it is gone."""
    rows = Delivery.objects.select_for_update(no_key=True, of=("self",))
    held: Delivery | None = rows.select_related("endpoint").filter(id=delivery.id).first()
    if held is None:
        raise errors.NotFound
    return held


def _new_round(moment: datetime) -> dict[str, Any]:
    """How a delivery is that begins anew; what its last attempt came to stays to be seen."""
    return {
        "status": DeliveryStatus.QUEUED,
        "attempt_count": 0,
        "next_attempt_at": moment,
        "ended_at": None,
        "updated_at": moment,
    }
