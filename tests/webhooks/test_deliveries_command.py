"""`manage.py deliveries`, as an operator uses it after a restore."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.core.management import call_command

from core.db.clock import database_now
from tests import make
from tests.webhooks.receivers import receiver
from tests.webhooks.sending import send
from webhooks.models import DeliveryStatus
from webhooks.queries import explanations
from webhooks.services.deliveries import recover

pytestmark = pytest.mark.django_db


def run(act: str) -> str:
    output = io.StringIO()
    call_command("deliveries", act, stdout=output)
    return output.getvalue()


def test_given_up_deliveries_are_not_sent_until_recovered() -> None:
    with receiver() as customer:
        endpoint = make.endpoint(url=f"{customer.url}?token=secret")
        done = make.delivery(
            endpoint=endpoint, status=DeliveryStatus.SUCCEEDED, ended_at=database_now()
        )
        waiting = make.delivery(endpoint=endpoint, attempt_count=3)

        listed = run("waiting")
        assert f"1  {waiting.created_at:%Y-%m-%d %H:%M:%S}  {endpoint.id}  127.0.0.1" in listed
        assert "secret" not in listed
        assert run("give-up") == "1 given up\n"
        assert run("waiting") == "0 waiting\n"
        send()
        assert customer.received == []

        waiting.refresh_from_db()
        done.refresh_from_db()
        assert (waiting.status, waiting.next_attempt_at) == (DeliveryStatus.DEAD, None)
        assert explanations.of_delivery(waiting, now=database_now()).startswith(
            "The operator of this installation"
        )
        assert done.status == DeliveryStatus.SUCCEEDED

        assert recover(endpoint=endpoint, since=database_now() - timedelta(hours=1)) == 1
        send()
        assert customer.ids == [str(waiting.event_id)]
