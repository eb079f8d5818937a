"""Staff read on one page why an endpoint fails, and act without writing rows themselves."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from core.db.clock import database_now
from core.outbound.outcomes import Kind
from tests import make
from tests.webhooks import log_search
from tests.webhooks.sending import indexes_of
from webhooks.delivery import retry_policy
from webhooks.delivery.error_messages import MESSAGES, message_for
from webhooks.models import Delivery, DeliveryAttempt, Endpoint, EndpointSecret

pytestmark = pytest.mark.django_db

BEGAN = datetime(2026, 11, 22, 9, 30, 5, tzinfo=UTC)


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(make.user(is_staff=True, is_superuser=True))
    return client


def list_of(model: type) -> str:
    return reverse(f"admin:webhooks_{model.__name__.lower()}_changelist")


def page_of(row: Any) -> str:
    return reverse(f"admin:webhooks_{type(row).__name__.lower()}_change", args=[row.id])


def act(staff: Client, action: str, *rows: Any) -> str:
    chosen = {"action": action, "_selected_action": [str(row.id) for row in rows]}
    return staff.post(list_of(type(rows[0])), chosen, follow=True).content.decode()


def failing(kind: str, status_code: int | None) -> Delivery:
    endpoint = make.endpoint(failing_since=database_now(), failures_in_a_row=3)
    row = make.delivery(
        endpoint=endpoint,
        attempt_count=1,
        last_error_kind=kind,
        last_status_code=status_code,
    )
    make.attempt(delivery=row, started_at=BEGAN, error_kind=kind, status_code=status_code)
    return row


def test_every_error_kind_has_a_message() -> None:
    ours = {value for name, value in vars(retry_policy).items() if name.startswith("KIND_")}
    assert set(MESSAGES) == {*Kind, *ours}


@pytest.mark.parametrize("kind", sorted(MESSAGES))
def test_the_page_of_a_failing_endpoint_explains_itself(staff: Client, kind: str) -> None:
    row = failing(kind, 418)
    message = escape(message_for(kind, 418, deadline_seconds=10))
    for page in (page_of(row.endpoint), page_of(row), list_of(Delivery)):
        assert message in staff.get(page).content.decode(), page
    for page in (page_of(row), list_of(DeliveryAttempt)):
        assert "2026-11-22 09:30:05" in staff.get(page).content.decode(), page
    assert (
        "Failing: no attempt has succeeded since"
        in staff.get(page_of(row.endpoint)).content.decode()
    )


def test_no_page_shows_a_secret_or_what_may_be_a_token(staff: Client) -> None:
    url = "https://hooks.example.org/in?token=hunter2"
    row = make.delivery(endpoint=make.endpoint(url=url))
    secret = EndpointSecret.objects.get().secret
    pages = [page_of(row), page_of(row.endpoint), *(list_of(one) for one in (Delivery, Endpoint))]

    text = "\n".join(staff.get(page).content.decode() for page in pages)

    assert "https://hooks.example.org/in?..." in text
    assert "hunter2" not in text
    assert secret not in text


def test_staff_replay_recover_disable_and_enable(staff: Client) -> None:
    endpoint = make.endpoint()
    ended: dict[str, Any] = {"status": "dead", "ended_at": database_now(), "attempt_count": 8}
    first, second = (make.delivery(endpoint=endpoint, **ended) for _ in range(2))

    assert "Sent again: 1." in act(staff, "redeliver", first)
    running = make.delivery(endpoint=endpoint, status="running")
    assert "is being sent at this moment" in act(staff, "redeliver", running)
    assert "Deliveries sent again: 1." in act(staff, "recover", endpoint)
    assert Delivery.objects.queued().count() == 2

    act(staff, "disable", endpoint)
    assert "Disabled by a person" in staff.get(page_of(endpoint)).content.decode()
    assert "Enable it first" in act(staff, "recover", endpoint)
    assert "attempt until its endpoint is enabled." in staff.get(page_of(second)).content.decode()
    act(staff, "enable", endpoint)
    endpoint.refresh_from_db()
    assert endpoint.is_enabled


def test_the_way_to_all_deliveries_of_an_endpoint_and_the_search_for_ids_use_indexes(
    staff: Client,
) -> None:
    endpoints = log_search.fill(make.organization(), deliveries=6_000)
    other = make.delivery(endpoint=make.endpoint())
    page = staff.get(page_of(endpoints[0])).content.decode()
    (way,) = re.findall(r'href="([^"]+)">All deliveries', page)
    owner = f"organization={endpoints[0].organization_id}"
    assert owner in way
    assert staff.get(html.unescape(way)).context["cl"].result_count == 600

    for sought, found in ((other.id, 1), (other.event_id, 1), (other.endpoint_id, 1)):
        answer = staff.get(f"{list_of(Delivery)}?q={sought}")
        assert answer.context["cl"].result_count == found
        query, values = answer.context["cl"].queryset.query.sql_with_params()
        assert "all of them" not in indexes_of(query, values), query
    assert staff.get(f"{list_of(Delivery)}?q=timeout").context["cl"].result_count == 0


def test_endpoints_are_filtered_by_state(staff: Client) -> None:
    rows = {
        "enabled": make.endpoint(description="a good one"),
        "failing": make.endpoint(description="a bad one", failing_since=database_now()),
        "disabled": make.endpoint(
            description="an old one",
            disabled_at=database_now() - timedelta(days=1),
            disabled_reason="gone",
        ),
        "deleted": make.endpoint(
            description="no one", disabled_at=database_now(), deleted_at=database_now()
        ),
    }

    def listed(state: str) -> set[str]:
        page = staff.get(f"{list_of(Endpoint)}?state={state}").content.decode()
        return {name for name, row in rows.items() if row.description in page}

    assert listed("enabled") == {"enabled", "failing"}
    assert listed("failing") == {"failing"}
    assert listed("disabled") == {"disabled"}
    assert listed("deleted") == {"deleted"}
    assert "disabled: gone" in staff.get(list_of(Endpoint)).content.decode()
