"""Where customers listen: making, changing, switching off and on, trying out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from core import errors
from core.accounts.actor import Actor
from core.accounts.models import Organization
from core.db.clock import database_now
from core.events import services as events
from core.jobs import services as jobs
from core.notifications import services as notifications
from core.outbound.urls import check_url
from webhooks.events import ENDPOINT_DISABLED, ENDPOINT_TEST
from webhooks.models import Delivery, DisabledReason, Endpoint, EndpointSecret, SignatureScheme
from webhooks.services import deliveries, retention, secrets, sender_jobs

# What senders remember about an endpoint, as it is before they have met it.
FRESH: dict[str, Any] = {
    "failures_in_a_row": 0,
    "failing_since": None,
    "paused_until": None,
    "next_slot_at": None,
}


class TooManyEndpoints(errors.Conflict):
    """The organization has as many endpoints as it may have."""

    code = "endpoint.too_many"
    message = "There are as many endpoints as an organization may have. Delete one first."


def create_endpoint(
    *,
    actor: Actor,
    url: str,
    event_types: list[str],
    description: str = "",
    rate_limit_per_second: int | None = None,
    signature: SignatureScheme = SignatureScheme.V1,
    secret: str = "",
) -> tuple[Endpoint, EndpointSecret]:
    """Let an address of the actor's organization hear of events; with what will sign for it.

    `secret` is one that the receiver knows from another system, empty for a new one. Raises
    TooManyEndpoints, WeakSecret or what is wrong with the URL (core/outbound/urls.py).
    """
    check_place(actor=actor, url=url)
    with transaction.atomic():
        _check_room(actor.organization.id)
        endpoint: Endpoint = Endpoint.objects.create(
            organization_id=actor.organization.id,
            url=url,
            description=description,
            event_types=event_types,
            rate_limit_per_second=rate_limit_per_second,
        )
        made = secrets.create_secret(endpoint=endpoint, scheme=signature, secret=secret)
    return endpoint, made


def check_place(*, actor: Actor, url: str) -> None:
    """May the organization have an endpoint there? The address is looked up only if it has room.

    Asks a name server, so it is no part of a transaction; soon after, the answer is at hand. Raises
    TooManyEndpoints or what is wrong with the URL.
    """
    _count(actor.organization.id)
    check_url(url, organization_id=actor.organization.id)


def _check_room(organization_id: UUID) -> None:
    """Under the organization's lock, so that two at once cannot both be the last."""
    Organization.objects.select_for_update(no_key=True).get(id=organization_id)
    _count(organization_id)


def _count(organization_id: UUID) -> None:
    held = Endpoint.objects.present().filter(organization_id=organization_id).count()
    if held >= settings.WEBHOOK_ENDPOINTS_PER_ORGANIZATION:
        raise TooManyEndpoints


def update_endpoint(*, endpoint: Endpoint, **changes: Any) -> Endpoint:
    """Change `url`, `description`, `event_types` or `rate_limit_per_second`.

    Another address begins without the failures of the one before, and gets what waits. Raises what
    is wrong with it.
    """
    if changes.get("url", endpoint.url) != endpoint.url:
        check_url(changes["url"], organization_id=endpoint.organization_id)
    with transaction.atomic():
        held = _lock(endpoint)
        moves = changes.get("url", held.url) != held.url
        if moves:
            changes |= FRESH
        _write(held, changes)
        if moves and held.is_enabled:
            sender_jobs.ask_for_sender()
    return held


def disable_endpoint(
    *, endpoint: Endpoint, reason: DisabledReason, actor: Actor | None = None
) -> Endpoint:
    """Send nothing there any more; what waits goes on waiting.

    Publishes `endpoint.disabled` unless a person decided it. One that is disabled stays as it is.
    """
    with transaction.atomic():
        held = _lock(endpoint)
        if not held.is_enabled:
            return held
        _write(held, {"disabled_at": database_now(), "disabled_reason": reason})
        if reason != DisabledReason.BY_HAND:
            events.publish(
                ENDPOINT_DISABLED,
                organization_id=held.organization_id,
                data={"endpoint_id": str(held.id), "reason": str(reason)},
                actor_id=actor.user.id if actor else None,
            )
    return held


def enable_endpoint(*, endpoint: Endpoint) -> Endpoint:
    """Send there again, what waited first; failures so far are forgotten, as is a pause."""
    with transaction.atomic():
        held = _lock(endpoint)
        _write(held, {**FRESH, "disabled_at": None, "disabled_reason": ""})
        sender_jobs.ask_for_sender()
    return held


def delete_endpoint(*, endpoint: Endpoint) -> None:
    """Forget an endpoint with all it was owed; nothing is owed or sent to it from here on.

    It is gone at once for whoever looks, and so is what it was owed; the rows follow in a job, a
    few at a time, however many they are. One that is gone already stays so.
    """
    with transaction.atomic():
        rows = Endpoint.objects.select_for_update(no_key=True).present()
        held = rows.filter(id=endpoint.id).first()
        if held is None:
            return
        moment = database_now()
        _write(held, {"deleted_at": moment, "disabled_at": held.disabled_at or moment})
        EndpointSecret.objects.filter(endpoint=held).delete()
        notifications.forget_subjects([held.id])
        jobs.enqueue(
            kind=retention.KIND, origin=jobs.HOUSEKEEPING, arguments={}, dedup_key=str(held.id)
        )


def send_test(*, endpoint: Endpoint, actor: Actor) -> Delivery:
    """Owe the endpoint an `endpoint.test`, whatever it listens to. Raises EndpointIsDisabled."""
    with transaction.atomic():
        held = _lock(endpoint)
        if not held.is_enabled:
            raise deliveries.EndpointIsDisabled
        event = events.publish(
            ENDPOINT_TEST,
            organization_id=held.organization_id,
            data={"endpoint_id": str(held.id)},
            actor_id=actor.user.id,
        )
        deliveries.owe(event=event)
        delivery: Delivery = Delivery.objects.get(event=event, endpoint=held)
    return delivery


def _lock(endpoint: Endpoint) -> Endpoint:
    """The locked endpoint. Raises NotFound when it was deleted meanwhile."""
    rows = Endpoint.objects.select_for_update(no_key=True).present()
    held = rows.filter(id=endpoint.id).first()
    if held is None:
        raise errors.NotFound
    found: Endpoint = held
    return found


def _write(endpoint: Endpoint, changes: dict[str, Any]) -> None:
    """Only what is named: the rest of the row may be a sender's."""
    for name, value in changes.items():
        setattr(endpoint, name, value)
    endpoint.save(update_fields=[*changes, "updated_at"])
