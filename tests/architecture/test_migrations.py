"""The migrations run from nothing, make what the models say, and what the tests' copies hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder
from pytest_django import DjangoDbBlocker

from tests import database

NAME = "migrated_by_a_test"
SHAPE = """
SELECT 'column', table_name, column_name,
       concat_ws(' ', data_type, character_maximum_length, is_nullable, column_default)
  FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL
SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL
SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace
"""


def shape(of: BaseDatabaseWrapper) -> set[tuple[str, ...]]:
    """Every column, index and constraint."""
    with of.cursor() as cursor:
        cursor.execute(SHAPE)
        return set(cursor.fetchall())


def applied(on: BaseDatabaseWrapper) -> set[tuple[str, str]]:
    """The migrations that have run there."""
    return set(MigrationRecorder(on).applied_migrations())


@pytest.fixture
def migrated(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Any]:
    """A second database, just migrated; a test that asks for the first may use no other."""
    name = f"{NAME}_{connection.settings_dict['NAME']}"
    with django_db_blocker.unblock(), database.on_the_server() as server:
        database.drop(server, name)
        try:
            with database.migrated_from_nothing(name) as found:
                yield found
        finally:
            database.drop(server, name)


@pytest.mark.slow
def test_the_migrations_run_from_nothing_and_make_the_tables_of_the_tests(
    migrated: BaseDatabaseWrapper,
) -> None:
    made, ran = shape(migrated), applied(migrated)

    assert made == shape(connection)
    assert ran == applied(connection)
    assert {("core", "0001_initial"), ("meetings", "0001_initial")} <= ran


@pytest.mark.django_db
def test_the_models_need_no_other_migration() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
