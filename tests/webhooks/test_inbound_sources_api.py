"""Admins manage inbound sources and read their messages."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from core import errors
from core.accounts.models import Role
from core.db.clock import database_now
from core.events.models import Event
from core.security.models import SecurityEvent
from tests import make
from tests.run_jobs import run_jobs
from tests.webhooks.senders import post
from webhooks import signatures
from webhooks.models import InboundMessage, InboundSource, Scheme
from webhooks.services import inbound_messages

pytestmark = pytest.mark.django_db

SOURCES = "/api/v1/webhooks/sources/"
MESSAGES = "/api/v1/webhooks/messages/"


@pytest.fixture
def admin() -> APIClient:
    return make.client(make.actor(role=Role.ADMIN))


def created(client: APIClient, **fields: Any) -> dict[str, Any]:
    answer = client.post(SOURCES, {"name": "Shop", "scheme": "standard", **fields})
    assert answer.status_code == 201, answer.content
    shown: dict[str, Any] = answer.json()
    return shown


# --- Sources ------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", list(Scheme))
def test_a_source_is_made_with_a_secret_of_ours_and_an_address_for_the_sender(
    admin: APIClient, scheme: Scheme, settings: LazySettings
) -> None:
    settings.PUBLIC_URL = "https://minutes.example.org"

    shown = created(admin, scheme=scheme)

    source = InboundSource.objects.get()
    assert shown["url"] == f"https://minutes.example.org/api/v1/hooks/{source.id}/"
    assert shown["secret"] == source.secret
    assert len(shown["secret"]) >= 40
    assert post(source, b"{}", secret=shown["secret"]).status_code == 202
    for address in (SOURCES, f"{SOURCES}{source.id}/"):
        assert shown["secret"] not in admin.get(address).content.decode()


def test_a_secret_that_the_sender_hands_out_is_taken(admin: APIClient) -> None:
    given = {"standard": signatures.new_secret(), "github": "chosen by somebody at GitHub"}
    for scheme, secret in given.items():
        text = secret.replace(" ", "-")
        shown = created(admin, scheme=scheme, secret=text)
        source = InboundSource.objects.get(id=shown["id"])
        assert post(source, b"{}", secret=text).status_code == 202


def test_there_are_never_more_sources_than_allowed(
    admin: APIClient, settings: LazySettings
) -> None:
    settings.INBOUND_SOURCES_PER_ORGANIZATION = 1
    created(admin)
    created(make.client(make.actor(role=Role.ADMIN)))
    answer = admin.post(SOURCES, {"name": "Shop", "scheme": "github"})
    assert (answer.status_code, answer.json()["code"]) == (409, "source.too_many")


def test_a_message_that_is_gone_is_not_handled_again() -> None:
    message = make.inbound_message(source=make.inbound_source())
    InboundMessage.objects.all().delete()
    with pytest.raises(errors.NotFound):
        inbound_messages.handle_again(message=message)


@pytest.mark.parametrize(
    ("scheme", "secret"),
    [
        ("github", "short"),
        ("github", "x" * 256),
        ("stripe", "with a space in it, and long"),
        ("stripe", "mit-Umlauten-äöü-und-lang-genug"),
        ("standard", "whsec_too-short-and-no-base64"),
        ("standard", base64.b64encode(b"x" * 32).decode()),
    ],
)
def test_a_secret_that_cannot_be_right_is_refused(
    admin: APIClient, scheme: str, secret: str
) -> None:
    answer = admin.post(SOURCES, {"name": "n", "scheme": scheme, "secret": secret})
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["secret"]
    assert secret not in answer.content.decode()


def test_a_repeated_request_makes_one_source_and_keeps_no_secret(admin: APIClient) -> None:
    body, key = {"name": "Shop", "scheme": "github"}, {"Idempotency-Key": "k1"}
    first = admin.post(SOURCES, body, headers=key)
    again = admin.post(SOURCES, body, headers=key)
    assert again.json() == {**first.json(), "secret": None}
    assert InboundSource.objects.count() == 1


def test_a_secret_is_replaced_with_an_overlap_or_at_once(admin: APIClient) -> None:
    shown = created(admin)
    address = f"{SOURCES}{shown['id']}/secret/rotate/"
    source = InboundSource.objects.get()

    second = admin.post(address, {}).json()
    assert second["previous_until"] is not None
    for secret in (shown["secret"], second["secret"]):
        assert post(source, b"{}", secret=secret).status_code == 202

    third = admin.post(address, {"overlap_seconds": 0}).json()
    assert third["previous_until"] is None
    assert post(source, b"{}", secret=second["secret"]).status_code == 401
    assert post(source, b"{}", secret=third["secret"]).status_code == 202
    kinds = SecurityEvent.objects.values_list("kind", flat=True)
    assert list(kinds).count("webhooks.source_secret_rotated") == 2


def test_a_source_is_renamed_switched_off_and_on_and_deleted(admin: APIClient) -> None:
    shown = created(admin)
    address, source = f"{SOURCES}{shown['id']}/", InboundSource.objects.get()

    changed = admin.patch(address, {"name": "Till", "is_enabled": False})
    assert (changed.json()["name"], changed.json()["is_enabled"]) == ("Till", False)
    assert post(source, b"{}", secret=shown["secret"]).status_code == 404
    admin.patch(address, {"is_enabled": True})
    assert post(source, b"{}", secret=shown["secret"]).status_code == 202
    assert admin.patch(address, {"scheme": "github"}).status_code == 400
    assert admin.delete(address).status_code == 204
    assert InboundMessage.objects.count() == 0
    run_jobs()
    assert not Event.objects.filter(type="inbound.received").exists()


def test_only_owners_and_admins_may_look_or_change() -> None:
    member = make.client(make.actor(role=Role.MEMBER))
    for address in (SOURCES, MESSAGES):
        assert member.get(address).status_code == 403
    assert member.post(SOURCES, {"name": "n", "scheme": "github"}).status_code == 403


def test_what_was_refused_is_shown_to_the_admins_of_its_source_page_by_page(
    admin: APIClient, settings: LazySettings
) -> None:
    source = InboundSource.objects.get(id=created(admin)["id"])
    other = InboundSource.objects.get(id=created(admin)["id"])
    address = f"{SOURCES}{source.id}/refusals/"
    assert post(source, b"{}").status_code == 401  # signed with another secret
    assert APIClient().post(f"/api/v1/hooks/{source.id}/", {}).status_code == 401
    assert post(other, b"{}").status_code == 401

    first = admin.get(address, {"page_size": 1}).json()
    second = admin.get(first["next"]).json()

    (newest,), (oldest,) = first["results"], second["results"]
    assert (newest["code"], oldest["code"]) == ("signature.missing", "signature.invalid")
    assert newest["ip"] == "127.0.0.1"
    assert set(newest) == {"created_at", "code", "ip"}
    assert second["next"] is None

    SecurityEvent.objects.update(
        created_at=database_now() - timedelta(days=settings.WEBHOOK_HISTORY_DAYS, seconds=1)
    )
    assert admin.get(address).json()["results"] == []
    assert make.client(make.actor(role=Role.ADMIN)).get(address).status_code == 404
    member = make.actor(organization=source.organization, role=Role.MEMBER)
    assert make.client(member).get(address).json()["code"] == "role.too_low"


# --- Messages -----------------------------------------------------------------------------------


def test_message_list_is_filtered_and_detail_shows_the_body(admin: APIClient) -> None:
    source = InboundSource.objects.get(id=created(admin)["id"])
    other = InboundSource.objects.get(id=created(admin)["id"])
    paid = make.inbound_message(source=source, type="order.paid", message_id="m1")
    sent = make.inbound_message(source=source, type="order.sent", handled_at=database_now())
    odd = make.inbound_message(source=other, type="", body=b"\xff\x00")

    def found(query: str) -> set[str]:
        return {row["id"] for row in admin.get(f"{MESSAGES}?{query}").json()["results"]}

    assert found("") == {str(one.id) for one in (paid, sent, odd)}
    assert found(f"source={other.id}") == {str(odd.id)}
    assert found("type=order.paid") == {str(paid.id)}
    assert found("message_id=m1") == {str(paid.id)}
    assert found("handled=true") == {str(sent.id)}
    assert found("handled=false") == {str(paid.id), str(odd.id)}
    assert found("created_after=2100-01-01T00:00:00Z") == set()
    assert "body" not in admin.get(MESSAGES).json()["results"][0]

    shown = admin.get(f"{MESSAGES}{paid.id}/").json()
    assert (shown["body"], shown["body_base64"]) == ('{"type": "order.paid"}', None)
    shown = admin.get(f"{MESSAGES}{odd.id}/").json()
    assert (shown["body"], shown["body_base64"]) == (None, "/wA=")


def test_old_messages_go_and_what_could_be_sent_again_leaves_its_trace(
    settings: LazySettings,
) -> None:
    sources = [make.inbound_source(scheme=scheme) for scheme in Scheme]
    old = database_now() - timedelta(days=settings.WEBHOOK_HISTORY_DAYS, hours=1)
    for source in sources:
        make.inbound_message(source=source, received_at=old)
        make.inbound_message(source=source)

    assert inbound_messages.prune() == len(sources)

    kept = InboundMessage.objects.filter(received_at=old)
    assert [(one.source.scheme, one.body) for one in kept] == [("github", None)]
    assert InboundMessage.objects.count() == len(sources) + 1
    assert inbound_messages.prune() == 0


def test_a_copy_of_a_message_whose_body_is_gone_is_still_a_copy() -> None:
    source = make.inbound_source(scheme=Scheme.GITHUB, secret="a secret at GitHub")
    assert post(source, b"{}", secret=source.secret).status_code == 202
    InboundMessage.objects.update(received_at=database_now() - timedelta(days=400))
    inbound_messages.prune()

    assert post(source, b"{}", secret=source.secret).json()["duplicate"] is True


# --- Staff --------------------------------------------------------------------------------------


def test_staff_see_neither_secrets_nor_bodies_and_may_have_a_message_handled_again() -> None:
    staff = Client()
    staff.force_login(make.user(is_staff=True, is_superuser=True))
    source = make.inbound_source(secret=signatures.new_secret())
    message = make.inbound_message(
        source=source, body=b"the merger is off", handled_at=database_now()
    )
    listed = reverse("admin:webhooks_inboundmessage_changelist")
    pages = [
        listed,
        reverse("admin:webhooks_inboundsource_changelist"),
        reverse("admin:webhooks_inboundmessage_change", args=[message.id]),
        reverse("admin:webhooks_inboundsource_change", args=[source.id]),
    ]
    shown = "".join(staff.get(page).content.decode() for page in pages)
    assert source.name in shown
    assert "merger" not in shown
    assert "Not shown: it belongs to the customer." in shown
    assert source.secret not in shown

    staff.post(listed, {"action": "handle_again", "_selected_action": [str(message.id)]})
    run_jobs()
    message.refresh_from_db()
    assert message.handled_at is not None
    assert Event.objects.filter(type="inbound.received").count() == 1


def test_staff_disable_and_enable_a_source() -> None:
    staff = Client()
    staff.force_login(make.user(is_staff=True, is_superuser=True))
    source = make.inbound_source()
    for action, status in (("disable", 404), ("enable", 202)):
        staff.post(
            reverse("admin:webhooks_inboundsource_changelist"),
            {"action": action, "_selected_action": [str(source.id)]},
        )
        assert post(source, b"{}").status_code == status
