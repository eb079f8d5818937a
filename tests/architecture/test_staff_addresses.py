"""No parameter in the address of a staff page is answered with a server error."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import DateField
from django.test import Client, RequestFactory
from django.urls import reverse

from tests import make

pytestmark = pytest.mark.django_db(transaction=True)

WORD, NUL, HUGE = "abc", "\0", "9" * 30
GENERAL = (
    {"q": NUL},
    {"q": HUGE},
    {"o": "1.abc.-99"},
    {"p": WORD},
    {"p": HUGE},
    {"e": "1", "id": WORD},
    {"_to_field": WORD},
    {"no_such_field": WORD},
    {"id__exact": WORD},
    {"id__in": f"{WORD},{NUL}"},
    {"pk__regex": "("},
    {"id__no_such_lookup": "1"},
)


@pytest.fixture
def staff() -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(make.user(is_staff=True, is_superuser=True))
    return client


def odd_parameters(changelist: ChangeList) -> Iterator[dict[str, str]]:
    """Unreadable values of everything that the list can be narrowed by."""
    yield from GENERAL
    for spec in changelist.filter_specs:
        for name in spec.expected_parameters():
            yield from ({str(name): value} for value in (WORD, NUL, HUGE))
    dates = [field.name for field in changelist.opts.fields if isinstance(field, DateField)]
    for name in dates:
        yield {f"{name}__gte": WORD}
        yield {f"{name}__year": "99999"}
        yield {f"{name}__year": HUGE}
    for field in changelist.opts.fields:
        yield {field.name: NUL}


def test_no_parameter_of_a_list_is_a_server_error(staff: Client) -> None:
    make.everything(organization=make.organization())
    request = RequestFactory().get("/")
    request.user = make.user(is_staff=True, is_superuser=True)
    failed = []
    for model, model_admin in admin.site._registry.items():
        meta = model._meta
        path = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
        for parameters in odd_parameters(model_admin.get_changelist_instance(request)):
            address = f"{path}?{urlencode(parameters)}"
            status = staff.get(address).status_code
            if status not in {200, 302}:
                failed.append((address, status))
    assert failed == []


def test_an_unreadable_filter_is_ignored_and_named(staff: Client) -> None:
    meeting = make.meeting(title="Quarterly figures")
    for query in ("organization=abc", "created_at__year=99999", "no_such_field=1"):
        page = staff.get(f"/admin/meetings/meeting/?{query}", follow=True).content.decode()
        assert f"could not be read: {query.partition('=')[0]}." in page
        assert meeting.title in page


@pytest.mark.parametrize(
    "path",
    [
        "core/job/abc/change/",
        "core/job/%00/change/",
        "core/job/abc/history/",
        "core/user/abc/password/",
        "core/user/add/?email=%00",
        "r/abc/abc/",
        "r/1/abc/",
        "autocomplete/?app_label=core&model_name=team&field_name=organization&term=%00",
        "login/?next=%00%0A",
    ],
)
def test_other_addresses_are_no_server_error(staff: Client, path: str) -> None:
    assert staff.get(f"/admin/{path}").status_code in {200, 302, 403, 404}


def test_an_action_on_an_unreadable_row_does_nothing(staff: Client) -> None:
    chosen = {"action": "cancel", "_selected_action": ["abc"]}
    page = staff.post("/admin/core/job/", chosen, follow=True)
    assert page.status_code == 200
    assert "could not be read" in page.content.decode()
