"""The front of the staff pages."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import Client

from config import dashboard
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(make.user(is_staff=True, is_superuser=True))
    return client


def test_every_name_in_a_group_is_a_page() -> None:
    pages = {model._meta.label for model in admin.site._registry}
    named = [label for labels in dashboard.GROUPS.values() for label in labels]
    assert set(named) <= pages
    assert len(named) == len(set(named))


def test_the_front_page_shows_every_page_once_in_its_group(staff: Client) -> None:
    groups = staff.get("/admin/").context["app_list"]
    labels = [page["model"]._meta.label for group in groups for page in group["models"]]
    assert [group["name"] for group in groups] == [*dashboard.GROUPS, dashboard.OTHERS]
    assert sorted(labels) == sorted(model._meta.label for model in admin.site._registry)


def test_the_pages_carry_our_name_and_our_style(staff: Client) -> None:
    page = staff.get("/admin/").content.decode()
    assert "<title>Staff | Minutebook</title>" in page
    assert "core/staff.css" in page


def test_somebody_who_may_see_nothing_sees_no_group() -> None:
    client = Client()
    client.force_login(make.user(is_staff=True))
    assert client.get("/admin/").context["app_list"] == []
