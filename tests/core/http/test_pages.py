"""Cursor pages: complete, stable, and as cheap at the end of a list as at its start."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from core.accounts.actor import Actor
from core.accounts.models import ApiKey, Membership, Organization, Team
from core.http.pagination import InvalidCursor, Page, page_of
from tests import make

pytestmark = pytest.mark.django_db

URL = "/api/v1/teams/"


@pytest.fixture
def actor() -> Actor:
    return make.actor()


@pytest.fixture
def client(actor: Actor) -> APIClient:
    return make.client(actor)


def teams(organization: Organization, number: int, *, at: datetime | None = None) -> list[Team]:
    """So many teams, made at the same moment when `at` is given."""
    rows = [make.team(organization=organization) for _ in range(number)]
    if at is not None:
        Team.objects.filter(id__in=[row.id for row in rows]).update(created_at=at)
    return rows


def ids(page: dict[str, Any]) -> list[str]:
    return [row["id"] for row in page["results"]]


def walk(client: APIClient, url: str | None, link: str = "next") -> list[dict[str, Any]]:
    pages = []
    while url:
        pages.append(client.get(url).json())
        url = pages[-1][link]
    return pages


def test_twenty_rows_are_a_page_newest_first(client: APIClient, actor: Actor) -> None:
    rows = teams(actor.organization, 21)

    page = client.get(URL).json()

    assert ids(page) == [str(row.id) for row in reversed(rows[1:])]
    assert page["previous"] is None


def test_a_short_list_is_one_page(client: APIClient, actor: Actor) -> None:
    teams(actor.organization, 20)

    page = client.get(URL).json()

    assert (len(ids(page)), page["next"], page["previous"]) == (20, None, None)


def test_an_empty_list_is_an_empty_page(client: APIClient) -> None:
    assert client.get(URL).json() == {"results": [], "next": None, "previous": None}


def test_walking_meets_every_row_once_even_when_all_were_made_at_once(
    client: APIClient, actor: Actor
) -> None:
    rows = teams(actor.organization, 11, at=timezone.now())

    pages = walk(client, f"{URL}?page_size=3")

    assert [len(ids(page)) for page in pages] == [3, 3, 3, 2]
    assert sorted(i for page in pages for i in ids(page)) == sorted(str(row.id) for row in rows)


def test_walking_back_shows_the_same_pages(client: APIClient, actor: Actor) -> None:
    teams(actor.organization, 6, at=timezone.now())
    teams(actor.organization, 6)
    forth = walk(client, f"{URL}?page_size=4")

    back = walk(client, forth[-1]["previous"], "previous")

    assert [ids(page) for page in back] == [ids(forth[1]), ids(forth[0])]
    assert [ids(page) for page in walk(client, back[-1]["next"])] == [ids(p) for p in forth[1:]]


def test_new_rows_do_not_shift_the_pages_that_follow(client: APIClient, actor: Actor) -> None:
    teams(actor.organization, 6)
    before = walk(client, f"{URL}?page_size=3")
    first = client.get(f"{URL}?page_size=3").json()

    teams(actor.organization, 5)

    assert ids(client.get(first["next"]).json()) == ids(before[1])


def test_the_rows_before_a_page_that_emptied_are_still_reached(
    client: APIClient, actor: Actor
) -> None:
    rows = teams(actor.organization, 4)
    first = client.get(f"{URL}?page_size=2").json()
    Team.objects.filter(id__in=[row.id for row in rows[:2]]).delete()

    emptied = client.get(first["next"]).json()

    assert (ids(emptied), emptied["next"]) == ([], None)
    assert ids(client.get(emptied["previous"]).json()) == ids(first)


def test_links_keep_the_rest_of_the_query(client: APIClient, actor: Actor) -> None:
    for _ in range(2):
        make.meeting(organization=actor.organization, tags=["a&b"])

    link = client.get("/api/v1/meetings/?page_size=1&tag=a%26b").json()["next"]

    assert parse_qs(urlsplit(link).query)["tag"] == ["a&b"]
    assert parse_qs(urlsplit(link).query)["page_size"] == ["1"]


@pytest.mark.parametrize("size", ["0", "101", "-1", "x", "", "1e2", "٣", "99999999999999999999"])
def test_a_page_size_outside_of_1_to_100_is_refused(client: APIClient, size: str) -> None:
    answer = client.get(URL, {"page_size": size})

    assert (answer.status_code, answer.json()["code"]) == (400, "page_size.invalid")


@pytest.mark.parametrize(
    "cursor", ["", "x", "W10", ".", "a.b", "é", "W1tdLGZhbHNlXQ.nonsense", "A" * 9999]
)
def test_a_cursor_nobody_handed_out_is_refused(client: APIClient, cursor: str) -> None:
    answer = client.get(URL, {"cursor": cursor})

    assert (answer.status_code, answer.json()["code"]) == (400, "cursor.invalid")


def test_a_cursor_of_another_list_is_refused(client: APIClient, actor: Actor) -> None:
    teams(actor.organization, 2)
    link = client.get(f"{URL}?page_size=1").json()["next"]
    cursor = parse_qs(urlsplit(link).query)["cursor"][0]

    answer = client.get("/api/v1/memberships/", {"cursor": cursor})

    assert answer.json()["code"] == "cursor.invalid"


def test_a_cursor_shows_nothing_of_another_organization(actor: Actor) -> None:
    teams(actor.organization, 3)
    link = make.client(actor).get(f"{URL}?page_size=1").json()["next"]

    assert make.client(make.actor()).get(link).json()["results"] == []


def test_columns_may_rise_and_fall_in_one_ordering() -> None:
    organization = make.organization()
    now = timezone.now()
    for hours in (0, 1, 2):
        teams(organization, 3, at=now + timedelta(hours=hours))
    ordering = ("-created_at", "id")
    rows = Team.objects.filter(organization=organization)

    found: list[Any] = []
    page = page_of(rows, ordering=ordering, size=2)
    while True:
        found += page.rows
        if page.next is None:
            break
        page = page_of(rows, ordering=ordering, size=2, cursor=page.next)

    assert [row.id for row in found] == [row.id for row in rows.order_by(*ordering)]


def test_three_columns_and_plain_dicts_are_walked_too() -> None:
    organization = make.organization()
    teams(organization, 3, at=timezone.now())
    Team.objects.filter(organization=organization).update(updated_at=timezone.now())
    rows = Team.objects.filter(organization=organization).values()
    ordering = ("created_at", "-updated_at", "-id")

    first = page_of(rows, ordering=ordering, size=2)
    second = page_of(rows, ordering=ordering, size=2, cursor=first.next)

    assert [row["id"] for row in [*first.rows, *second.rows]] == [
        row["id"] for row in rows.order_by(*ordering)
    ]


def test_an_ordering_that_may_be_null_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="NULL"):
        page_of(ApiKey.objects.all(), ordering=("-expires_at", "-id"))


def test_an_ordering_without_a_unique_end_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="unique"):
        page_of(Membership.objects.all(), ordering=("-created_at",))


def test_a_cursor_of_another_ordering_is_refused() -> None:
    organization = make.organization()
    teams(organization, 2)
    rows = Team.objects.filter(organization=organization)
    cursor = page_of(rows, size=1).next

    with pytest.raises(InvalidCursor):
        page_of(rows, ordering=("created_at", "id"), cursor=cursor)


# --- The cost ------------------------------------------------------------------------------------

DEEP = 80_000


def buffers_of(sql: str) -> int:
    """The 8 kB blocks that a statement touches."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}")
        found = cursor.fetchone()[0]
    plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def page_and_sql(organization: Organization, cursor: str | None = None) -> tuple[Page, str]:
    rows = Team.objects.filter(organization=organization)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page = page_of(rows, cursor=cursor)
    assert len(queries) == 1
    return page, queries[0]["sql"]


def test_page_4000_touches_as_much_as_page_1() -> None:
    organization = make.organization()
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO core_team (id, created_at, updated_at, organization_id, name)
               SELECT gen_random_uuid(), now() - n * interval '1 second', now(), %s, n::text
               FROM generate_series(1, %s) AS n""",
            [organization.id, DEEP + 100],
        )
        cursor.execute("ANALYZE core_team")
    rows = Team.objects.filter(organization=organization).order_by("-created_at", "-id")
    edge = rows[DEEP - 1]
    link = page_of(rows.filter(created_at__lte=edge.created_at), size=1).next

    first, first_sql = page_and_sql(organization)
    deep, deep_sql = page_and_sql(organization, link)

    assert [row.name for row in deep.rows] == [str(DEEP + n) for n in range(1, 21)]
    assert len(first.rows) == 20
    # Twenty rows may lie on one block more than twenty others; four thousand pages fill thousands.
    assert buffers_of(deep_sql) <= buffers_of(first_sql) + 1
