"""`Idempotency-Key`: a POST sent twice takes effect once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from core.accounts.actor import Actor
from core.accounts.models import ApiKey, Team
from core.http.idempotency import sweep_idempotency_keys
from core.http.models import IdempotencyKey
from tests import make
from tests.core.http import urls

URL = "/api/v1/teams/"
KEY = {"Idempotency-Key": "one of a kind"}


@pytest.fixture
def actor() -> Actor:
    return make.actor()


@pytest.fixture
def client(actor: Actor) -> APIClient:
    return make.client(actor)


def post(client: APIClient, name: str = "Sales", **headers: str) -> Any:
    return client.post(URL, {"name": name}, headers={**KEY, **headers})


@pytest.mark.django_db
def test_the_same_request_gets_the_same_answer_and_makes_one_row(client: APIClient) -> None:
    first, second = post(client), post(client)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.headers["Content-Type"] == "application/json"
    assert Team.objects.count() == 1


@pytest.mark.django_db
def test_without_a_key_nothing_is_kept(client: APIClient) -> None:
    client.post(URL, {"name": "Sales"})

    assert not IdempotencyKey.objects.exists()


@pytest.mark.django_db
def test_another_body_is_refused(client: APIClient) -> None:
    post(client)

    answer = post(client, "Marketing")

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency.key_reused")
    assert Team.objects.count() == 1


@pytest.mark.django_db
def test_another_address_is_refused(client: APIClient) -> None:
    post(client)

    answer = client.post("/api/v1/api-keys/", {"name": "Sales"}, headers=KEY)

    assert answer.json()["code"] == "idempotency.key_reused"


@pytest.mark.django_db
def test_a_key_belongs_to_its_sender(client: APIClient, actor: Actor) -> None:
    post(client)

    assert post(make.client(actor), "Marketing").status_code == 201
    assert post(make.client(make.actor()), "Support").status_code == 201
    assert post(make.signed_in(actor.user), "Finance").status_code == 201
    assert IdempotencyKey.objects.count() == 4


@pytest.mark.django_db
def test_a_refused_request_frees_the_key(client: APIClient) -> None:
    assert post(client, "").status_code == 400

    assert post(client).status_code == 201


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", " " * 256, "x" * 256, "ключ", "a\tb"])
def test_a_key_must_be_printable_and_short(client: APIClient, key: str) -> None:
    answer = client.post(URL, {"name": "Sales"}, HTTP_IDEMPOTENCY_KEY=key)

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency.key_invalid")
    assert not Team.objects.exists()


@pytest.mark.django_db
def test_a_body_over_the_limit_is_refused_with_a_key_too(client: APIClient) -> None:
    answer = post(client, "x" * settings.JSON_MAX_BYTES)

    assert (answer.status_code, answer.json()["code"]) == (413, "json.too_large")


@pytest.mark.django_db
def test_the_text_of_a_new_api_key_is_not_kept(client: APIClient) -> None:
    body = {"name": "robot"}

    first = client.post("/api/v1/api-keys/", body, headers=KEY).json()
    second = client.post("/api/v1/api-keys/", body, headers=KEY).json()

    assert first["key"].startswith("mb_")
    assert second == {**first, "key": None}
    assert first["key"] not in IdempotencyKey.objects.get().body
    assert ApiKey.objects.filter(name="robot").count() == 1


@pytest.mark.django_db
def test_after_a_day_the_key_is_free(client: APIClient) -> None:
    post(client)
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))

    assert post(client, "Marketing").status_code == 201
    assert IdempotencyKey.objects.count() == 1


@pytest.mark.django_db
def test_the_sweep_takes_old_keys_and_leaves_young_ones(client: APIClient) -> None:
    post(client)
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=25))
    post(client, "Marketing", **{"Idempotency-Key": "young"})

    assert sweep_idempotency_keys() == 1
    assert [row.key for row in IdempotencyKey.objects.all()] == ["young"]


# --- One transaction ------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.urls("tests.core.http.urls")
@pytest.mark.parametrize("then", ["refuse", "answer"])
def test_a_refusal_undoes_what_was_written_before_it(client: APIClient, then: str) -> None:
    answer = client.post(f"/api/fickle?then={then}", {}, headers=KEY)

    assert answer.status_code == 409
    assert not Team.objects.exists()
    assert not IdempotencyKey.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.urls("tests.core.http.urls")
def test_while_the_first_is_running_the_second_is_told_so(client: APIClient) -> None:
    urls.entered.clear()
    urls.leave.clear()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(_post_and_close, client, "/api/slow")
        try:
            assert urls.entered.wait(timeout=30)
            second = client.post("/api/slow", {"name": "Sales"}, headers=KEY)
        finally:
            urls.leave.set()
        status, body = first.result()
    third = client.post("/api/slow", {"name": "Sales"}, headers=KEY)

    assert (second.status_code, second.json()["code"]) == (409, "idempotency.running")
    assert second.headers["Retry-After"] == "1"
    assert status == 201
    assert (third.status_code, third.content) == (201, body)
    assert third.headers["Location"] == f"/{third.json()['id']}"
    assert Team.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_makes_the_row(client: APIClient) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: _post_and_close(client, URL), range(16)))

    assert {status for status, _ in answers} <= {201, 409}
    assert len({body for status, body in answers if status == 201}) == 1
    assert Team.objects.count() == 1


def _post_and_close(client: APIClient, url: str) -> tuple[int, bytes]:
    """From a thread, whose own connection would otherwise keep the test database open."""
    try:
        answer = client.post(url, {"name": "Sales"}, headers=KEY)
        return answer.status_code, answer.content
    finally:
        connection.close()
