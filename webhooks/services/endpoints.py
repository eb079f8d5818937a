"""Creates, changes, disables, enables, deletes and tests endpoints."""

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

# The state that senders record, as of a new endpoint.
RESET_STATE: dict[str, Any] = {
    "failures_in_a_row": 0,
    "failing_since": None,
    "paused_until": None,
    "next_slot_at": None,
}


class TooManyEndpoints(errors.Conflict):
    """The organization has as many endpoints as it may have."""

    code = "endpoint.too_many"
    message = "The organization has reached its limit of endpoints. Delete one first."


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
    """Create an endpoint of the actor's organization and its secret.

    `secret` is one that the receiver has already, empty for a new one. Raises TooManyEndpoints,
    WeakSecret, SecretInUse or an error of core/outbound/urls.py.
    """
    check_new_endpoint(actor=actor, url=url)
    with transaction.atomic():
        # Locked, so that of two requests at once only one gets the last place.
        Organization.objects.select_for_update(no_key=True).get(id=actor.organization.id)
        _check_limit(actor.organization.id)
        endpoint: Endpoint = Endpoint.objects.create(
            organization_id=actor.organization.id,
            url=url,
            description=description,
            event_types=event_types,
            rate_limit_per_second=rate_limit_per_second,
        )
        endpoint_secret = secrets.create_secret(endpoint=endpoint, scheme=signature, secret=secret)
    return endpoint, endpoint_secret


def check_new_endpoint(*, actor: Actor, url: str) -> None:
    """Check the limit and the address of a new endpoint.

    Asks a name server, so it must not be called in a transaction. Raises TooManyEndpoints or an
    error of core/outbound/urls.py.
    """
    _check_limit(actor.organization.id)  # first: an organization at its limit asks no name server
    check_url(url, organization_id=actor.organization.id)


def _check_limit(organization_id: UUID) -> None:
    count = Endpoint.objects.present().filter(organization_id=organization_id).count()
    if count >= settings.WEBHOOK_ENDPOINTS_PER_ORGANIZATION:
        raise TooManyEndpoints


def update_endpoint(*, endpoint: Endpoint, **changes: Any) -> Endpoint:
    """Change `url`, `description`, `event_types` or `rate_limit_per_second`.

    A new address starts without the failures of the old one. Raises an error of
    core/outbound/urls.py.
    """
    if changes.get("url", endpoint.url) != endpoint.url:
        check_url(changes["url"], organization_id=endpoint.organization_id)
    with transaction.atomic():
        locked = _locked_endpoint(endpoint)
        is_moved = changes.get("url", locked.url) != locked.url
        if is_moved:
            changes |= RESET_STATE
        _save_fields(locked, changes)
        if is_moved and locked.is_enabled:
            sender_jobs.request_sender()
    return locked


def disable_endpoint(
    *, endpoint: Endpoint, reason: DisabledReason, actor: Actor | None = None
) -> Endpoint:
    """Stop sending to an endpoint; its waiting deliveries stay queued.

    Publishes `endpoint.disabled` unless a person disabled it. A disabled endpoint is left as it is.
    """
    with transaction.atomic():
        locked = _locked_endpoint(endpoint)
        if not locked.is_enabled:
            return locked
        _save_fields(locked, {"disabled_at": database_now(), "disabled_reason": reason})
        if reason != DisabledReason.BY_HAND:
            events.publish(
                ENDPOINT_DISABLED,
                organization_id=locked.organization_id,
                data={"endpoint_id": str(locked.id), "reason": str(reason)},
                actor_id=actor.user.id if actor else None,
            )
    return locked


def enable_endpoint(*, endpoint: Endpoint) -> Endpoint:
    """Send to an endpoint again, without its failures so far and its pause."""
    with transaction.atomic():
        locked = _locked_endpoint(endpoint)
        _save_fields(locked, {**RESET_STATE, "disabled_at": None, "disabled_reason": ""})
        sender_jobs.request_sender()
    return locked


def delete_endpoint(*, endpoint: Endpoint) -> None:
    """Delete an endpoint; it and its deliveries are invisible at once.

    A job deletes the rows in batches: one transaction would hold locks for as long as a million
    deletions take.
    """
    with transaction.atomic():
        rows = Endpoint.objects.select_for_update(no_key=True).present()
        locked = rows.filter(id=endpoint.id).first()
        if locked is None:
            return
        now = database_now()
        _save_fields(locked, {"deleted_at": now, "disabled_at": locked.disabled_at or now})
        EndpointSecret.objects.filter(endpoint=locked).delete()
        notifications.forget_subjects([locked.id])
        jobs.enqueue(
            kind=retention.KIND, origin=jobs.HOUSEKEEPING, arguments={}, dedup_key=str(locked.id)
        )


def send_test(*, endpoint: Endpoint, actor: Actor) -> Delivery:
    """Send `endpoint.test` to the endpoint, whatever its types. Raises EndpointIsDisabled."""
    with transaction.atomic():
        locked = _locked_endpoint(endpoint)
        if not locked.is_enabled:
            raise deliveries.EndpointIsDisabled
        event = events.publish(
            ENDPOINT_TEST,
            organization_id=locked.organization_id,
            data={"endpoint_id": str(locked.id)},
            actor_id=actor.user.id,
        )
        deliveries.create_deliveries(events=[event])
        delivery: Delivery = Delivery.objects.get(event=event, endpoint=locked)
    return delivery


def _locked_endpoint(endpoint: Endpoint) -> Endpoint:
    """The locked endpoint. Raises NotFound if it was deleted."""
    rows = Endpoint.objects.select_for_update(no_key=True).present()
    locked = rows.filter(id=endpoint.id).first()
    if locked is None:
        raise errors.NotFound
    found: Endpoint = locked
    return found


def _save_fields(endpoint: Endpoint, changes: dict[str, Any]) -> None:
    # Only these fields: senders write the others at the same time.
    for name, value in changes.items():
        setattr(endpoint, name, value)
    endpoint.save(update_fields=[*changes, "updated_at"])
