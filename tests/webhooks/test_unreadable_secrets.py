"""An unreadable secret affects only its own endpoint or source."""

from __future__ import annotations

import base64

import pytest
from django.db import transaction
from pytest_django.fixtures import Settings

from core.accounts.actor import Actor
from core.db.clock import database_now
from tests import make
from tests.webhooks.senders import post
from webhooks import signatures
from webhooks.models import EndpointSecret, InboundSource
from webhooks.services import inbound_sources
from webhooks.services.secret_cache import NoUsableSecret, SecretCache
from webhooks.services.secrets import rotate_secret

pytestmark = pytest.mark.django_db

LATER = f"later:{base64.b64encode(b'3' * 32).decode()}"
SENT = {"message_id": "m", "timestamp": 1, "body": b"{}"}


@pytest.fixture
def who() -> Actor:
    return make.actor()


def signed_by(endpoint_id: object) -> str:
    signing = SecretCache()
    signing.load([endpoint_id])  # type: ignore[list-item]
    return signing.header(endpoint_id, **SENT)  # type: ignore[arg-type]


def test_what_can_be_read_signs_alone(settings: Settings) -> None:
    endpoint, keys = make.endpoint(), settings.SECRET_KEYS
    settings.SECRET_KEYS = f"{LATER},{keys}"
    with transaction.atomic():
        new = rotate_secret(endpoint=endpoint).secret
    assert len(signed_by(endpoint.id).split(" ")) == 2

    settings.SECRET_KEYS = LATER

    assert signed_by(endpoint.id) == signatures.header_of([new], **SENT)  # type: ignore[arg-type]


def test_rotating_ends_the_secrets_of_an_endpoint_that_cannot_be_read(
    settings: Settings, who: Actor
) -> None:
    endpoint = make.endpoint(organization=who.organization)
    settings.SECRET_KEYS = LATER
    with pytest.raises(NoUsableSecret):
        signed_by(endpoint.id)

    answer = make.client(who).post(f"/api/v1/webhooks/endpoints/{endpoint.id}/secret/rotate/")

    assert answer.status_code == 200
    assert EndpointSecret.objects.count() == 1
    assert signed_by(endpoint.id)


def test_source_with_an_unreadable_secret_works_after_rotation(
    settings: Settings, who: Actor
) -> None:
    source = make.inbound_source(organization=who.organization)
    settings.SECRET_KEYS = LATER
    refused = post(source, b"{}")
    assert (refused.status_code, refused.json()["code"]) == (503, "secret.unreadable")
    assert refused["Retry-After"]
    assert "tests" not in refused.json()["detail"]

    answer = make.client(who).post(f"/api/v1/webhooks/sources/{source.id}/secret/rotate/")

    assert answer.status_code == 200
    assert answer.json()["previous_until"] is None
    assert post(source, b"{}", secret=answer.json()["secret"]).status_code == 202


@pytest.mark.parametrize("lost", ["secret", "previous_secret"])
def test_a_message_is_verified_with_the_secret_that_can_be_read(lost: str) -> None:
    old = make.inbound_source()
    source = inbound_sources.rotate_secret(source=old)
    secrets = {"secret": source.secret, "previous_secret": old.secret}
    other = make.inbound_source(previous_secret="x" * 20, previous_until=database_now())
    with_wrong_seal = InboundSource.objects.filter(id=source.id)
    with_wrong_seal.update(**{lost: other.__dict__[lost]})
    secrets.pop(lost)

    for secret in secrets.values():
        assert post(source, b"{}", secret=secret).status_code == 202
