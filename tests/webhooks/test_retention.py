"""Old deliveries are deleted, and so are those waiting for a long disabled endpoint."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.db.clock import database_now
from tests import make
from webhooks.models import Delivery, DeliveryAttempt, Endpoint
from webhooks.services import retention

pytestmark = pytest.mark.django_db


def test_deliveries_go_with_their_attempts_when_they_ended_long_ago() -> None:
    old, young = database_now() - timedelta(days=31), database_now() - timedelta(days=29)
    endpoint, off, lately_off = make.endpoint(), make.endpoint(), make.endpoint()
    kept = {
        make.delivery(endpoint=endpoint).id,
        make.delivery(endpoint=endpoint, status="dead", ended_at=young).id,
        make.delivery(endpoint=lately_off).id,
    }
    for status in ("succeeded", "failed", "dead"):
        make.attempt(delivery=make.delivery(endpoint=endpoint, status=status, ended_at=old))
    make.attempt(delivery=make.delivery(endpoint=off))
    Endpoint.objects.filter(id=off.id).update(disabled_at=old)
    Endpoint.objects.filter(id=lately_off.id).update(disabled_at=young)

    assert retention.prune() == 4

    assert set(Delivery.objects.values_list("id", flat=True)) == kept
    assert not DeliveryAttempt.objects.exists()
    assert retention.prune() == 0
