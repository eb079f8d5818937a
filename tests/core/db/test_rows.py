"""The times of rows are the database's: a process whose clock is wrong stores none of its own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.db import DatabaseError

from core.accounts.models import Team
from core.db.clock import database_now
from tests import make

pytestmark = pytest.mark.django_db

LONG_AGO = datetime.fromisoformat("2001-02-03T04:05:06Z")


def stored_times(row: Any) -> tuple[datetime, datetime]:
    times: tuple[datetime, datetime] = (
        type(row).objects.values_list("created_at", "updated_at").get(pk=row.pk)
    )
    return times


def test_new_row_knows_the_times_that_the_database_gave_it() -> None:
    before = database_now()
    team = make.team()
    assert before <= team.created_at == team.updated_at <= database_now()
    assert stored_times(team) == (team.created_at, team.updated_at)


@pytest.mark.parametrize("fields", [None, ["name"], ["name", "updated_at"]])
def test_save_moves_updated_at_in_its_one_query(
    fields: list[str] | None, django_assert_num_queries: Any
) -> None:
    team = make.team()
    Team.objects.filter(pk=team.pk).update(updated_at=LONG_AGO)
    created_at, before = team.created_at, database_now()
    team.name, team.updated_at = "New", LONG_AGO
    with django_assert_num_queries(1):
        team.save(update_fields=fields)
    assert stored_times(team) == (created_at, team.updated_at)
    assert before <= team.updated_at <= database_now()


def test_save_of_a_deleted_row_is_noticed() -> None:
    team = make.team()
    Team.objects.filter(pk=team.pk).delete()
    with pytest.raises(DatabaseError):
        team.save(update_fields=["name"])


def test_update_of_many_rows_moves_updated_at() -> None:
    team = make.team()
    Team.objects.filter(pk=team.pk).update(updated_at=LONG_AGO)
    before = database_now()
    Team.objects.filter(pk=team.pk).update(name="New")
    assert stored_times(team)[1] >= before
