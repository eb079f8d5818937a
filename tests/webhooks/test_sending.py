"""Due deliveries are sent, signed and complete, until they are received."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import transaction
from pytest_django.fixtures import Settings
from standardwebhooks import Webhook, WebhookVerificationError

from core.jobs import shutdown, worker
from core.jobs.models import Job, JobStatus
from tests import make
from tests.webhooks.receivers import Received, Reply, receiver
from tests.webhooks.sending import send, send_again, sent
from webhooks.models import Delivery, DeliveryStatus, EndpointSecret
from webhooks.services import secrets, sender_jobs, senders

pytestmark = pytest.mark.django_db


def check(secret: EndpointSecret, request: Received) -> Any:
    """What the library of the standard's authors reads in it; raises when it is not ours."""
    return Webhook(secret.secret).verify(request.body, dict(request.headers))


def test_a_delivery_arrives_signed_and_its_answer_is_kept() -> None:
    with receiver(Reply(200, body=b"thanks")) as customer:
        endpoint = make.endpoint(url=customer.url)
        delivery = make.delivery(endpoint=endpoint)
        attempt = sent(delivery)

    (request,) = customer.received
    assert check(endpoint.secrets.get(), request)["type"] == "meeting.created"
    assert request.body == delivery.body.encode()
    assert request.id == str(delivery.event_id)
    assert abs(int(request.headers["webhook-timestamp"]) - time.time()) < 60
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == "Minutebook-Webhooks/1"
    assert request.headers["x-minutebook-event"] == "meeting.created"
    assert request.headers["x-minutebook-delivery"] == str(delivery.id)

    assert (delivery.status, delivery.last_status_code, delivery.last_error_kind) == (
        DeliveryStatus.SUCCEEDED,
        200,
        "",
    )
    assert delivery.ended_at is not None
    assert delivery.next_attempt_at is delivery.lease_until is None
    assert (attempt.number, attempt.status_code, attempt.error_kind) == (1, 200, "")
    assert (attempt.address, attempt.excerpt) == ("127.0.0.1", "thanks")
    assert delivery.created_at < attempt.started_at < delivery.ended_at
    endpoint.refresh_from_db()
    assert endpoint.last_success_at is not None
    assert endpoint.failures_in_a_row == 0


def test_every_attempt_has_the_same_id_and_body_and_its_own_timestamp() -> None:
    with receiver() as customer:
        customer.then = [Reply(500), Reply(503)]
        endpoint = make.endpoint(url=customer.url)
        delivery = make.delivery(endpoint=endpoint)
        send()
        send_again(delivery)
        assert send_again(delivery).number == 3

    assert delivery.status == DeliveryStatus.SUCCEEDED
    assert len({(request.id, request.body) for request in customer.received}) == 1
    for request in customer.received:
        check(endpoint.secrets.get(), request)


def test_while_a_secret_is_rotated_both_sign() -> None:
    with receiver() as customer:
        endpoint = make.endpoint(url=customer.url)
        old = endpoint.secrets.get()
        new = secrets.rotate_secret(endpoint=endpoint)
        sent(make.delivery(endpoint=endpoint))
        secrets.rotate_secret(endpoint=endpoint, overlap_seconds=0)
        sent(make.delivery(endpoint=endpoint))

    during, after = customer.received
    assert check(old, during) == check(new, during)
    assert len(during.headers["webhook-signature"].split(" ")) == 2
    with pytest.raises(WebhookVerificationError):
        check(new, after)


def test_unsigned_delivery_fails_without_delaying_others() -> None:
    with receiver() as customer:
        unreadable, fine = (make.endpoint(url=customer.url) for _ in range(2))
        unreadable.secrets.all().delete()
        delivery = make.delivery(endpoint=unreadable)
        other = make.delivery(endpoint=fine)
        attempt = sent(delivery)

    assert customer.ids == [str(other.event_id)]
    assert (attempt.error_kind, attempt.address) == ("unsigned", None)
    assert delivery.status == DeliveryStatus.QUEUED
    unreadable.refresh_from_db()
    assert unreadable.failures_in_a_row == 0, "it is not the receiver's doing"


def test_a_sender_takes_what_it_has_room_for_and_hands_over(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WEBHOOK_IN_FLIGHT = 4
    monkeypatch.setattr(senders, "MAX_RUN_SECONDS", 0.0)
    with receiver() as customer:
        endpoint = make.endpoint(url=customer.url)
        owed = [make.delivery(endpoint=endpoint) for _ in range(10)]
        send()

    assert sorted(customer.ids) == sorted(str(one.event_id) for one in owed)
    jobs = Job.objects.filter(kind=sender_jobs.KIND)
    assert jobs.count() >= 3
    assert set(jobs.values_list("status", flat=True)) == {JobStatus.SUCCEEDED}


def test_sender_is_requested_while_deliveries_are_due(settings: Settings) -> None:
    assert sender_jobs.request_senders() == 0
    delivery = make.delivery(endpoint=make.endpoint())
    assert sender_jobs.request_senders() == 1
    assert sender_jobs.request_senders() == 1
    assert Job.objects.filter(kind=sender_jobs.KIND).count() == 1

    make.delivery(endpoint=make.endpoint(), next_attempt_at=delivery.created_at.replace(year=2025))
    assert sender_jobs.request_senders() == settings.WEBHOOK_SENDERS
    assert Job.objects.filter(kind=sender_jobs.KIND).count() == settings.WEBHOOK_SENDERS


def test_stopped_sender_records_the_requests_it_began() -> None:
    def stop(_request: Received) -> Reply:
        shutdown._flag[0] = 1
        return Reply()

    with receiver(stop) as customer:
        owed = [make.delivery(endpoint=make.endpoint(url=customer.url)) for _ in range(3)]
        with transaction.atomic():
            sender_jobs.request_sender()
        job = Job.objects.get(kind=sender_jobs.KIND)
        try:
            worker.perform(str(job.id))
        finally:
            shutdown._flag[0] = 0

    assert len(customer.received) == 3
    status = {one.status for one in Delivery.objects.filter(id__in=[one.id for one in owed])}
    assert status == {DeliveryStatus.SUCCEEDED}
    job.refresh_from_db()
    assert (job.status, job.attempts) == (JobStatus.QUEUED, 0)
