"""Only the request that creates an endpoint waits for a name server."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

import pytest
from django.db import connection
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from core.outbound import urls
from core.outbound.dns import Addresses, Resolver, UnknownHost
from tests import make
from webhooks.models import Endpoint

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = "/api/v1/webhooks/endpoints/"
OPEN = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND state = 'idle in transaction'
"""


class NameServer:
    """Knows one name, and counts who holds a transaction open while it answers."""

    def __init__(self) -> None:
        self.held: list[int] = []

    def __call__(self, host: str) -> Addresses:
        try:
            with connection.cursor() as cursor:
                cursor.execute(OPEN)
                self.held.append(cursor.fetchone()[0])
        finally:
            connection.close()
        if host != "known.example":
            raise UnknownHost(host)
        return (ip_address("8.8.8.8"),)


@pytest.fixture
def name_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    server = NameServer()
    names = Resolver(server)
    monkeypatch.setattr(urls, "shared_resolver", lambda: names)
    yield server
    names.close()


@pytest.fixture
def client() -> APIClient:
    return make.client(make.actor())


def create(client: APIClient, host: str, **headers: str) -> tuple[int, str]:
    sent = {"url": f"https://{host}/", "event_types": ["*"]}
    answer = client.post(ADDRESS, sent, headers=headers)
    return answer.status_code, answer.json().get("code", "")


def test_no_transaction_is_open_while_a_name_is_looked_up(
    client: APIClient, name_server: NameServer
) -> None:
    for key in ({}, {"Idempotency-Key": "k"}, {"Idempotency-Key": "k"}):
        assert create(client, "known.example", **key) == (201, "")
    assert create(client, "lost.example", **{"Idempotency-Key": "l"}) == (400, "url.not_found")
    assert Endpoint.objects.count() == 2
    name_server.held.clear()
    assert create(client, "other.example", **{"Idempotency-Key": "o"}) == (400, "url.not_found")
    assert name_server.held == [0]


def test_what_was_answered_is_repeated_without_a_name_server(
    client: APIClient, name_server: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert create(client, "known.example", **{"Idempotency-Key": "k"}) == (201, "")
    assert name_server.held == [0]
    monkeypatch.setattr(urls, "shared_resolver", lambda: pytest.fail("was asked again"))
    assert create(client, "known.example", **{"Idempotency-Key": "k"}) == (201, "")
    assert Endpoint.objects.count() == 1


def test_a_full_organization_asks_no_name_server(
    client: APIClient, name_server: NameServer, settings: Settings
) -> None:
    settings.WEBHOOK_ENDPOINTS_PER_ORGANIZATION = 0
    assert create(client, "known.example") == (409, "endpoint.too_many")
    assert name_server.held == []
