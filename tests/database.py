"""A database for each test process: copied from one that the migrations made, and emptied fast.

A copy takes a fraction of the time that migrating takes. The template stays on the test server for
later runs, under a name that says what made it: these migrations, these apps, these packages.
tests/architecture/test_migrations.py runs the migrations from nothing and compares.

After a test that commits, Django truncates every table, however few were written to, and makes the
rows about models and permissions anew. Deleting the rows there are takes a tenth of that.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path

import psycopg
from django.apps import apps
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "template_of_tests_"
DRAFT = f"{PREFIX}draft"
# Migrating writes these rows, the last one tests/conftest.py, and no test changes them.
KEPT = ("django_migrations", "django_content_type", "auth_permission", "core_storagemarker")
LARGE_BYTES = 1_000_000


def copy_the_template() -> None:
    """Let Django make its test database as a copy of the template instead of migrating it."""
    connection.settings_dict["TEST"] |= {"TEMPLATE": template(), "MIGRATE": False}


def template() -> str:
    """The name of the database that these migrations made; it is made if there is none yet.

    Templates of other migrations are removed. Processes that start together wait for the first.
    """
    name = PREFIX + fingerprint()
    with on_the_server() as server:
        server.execute("SELECT pg_advisory_lock(hashtext(%s))", [PREFIX])
        kept = {str(row[0]) for row in server.execute("SELECT datname FROM pg_database")}
        if name not in kept:
            for old in {other for other in kept if other.startswith(PREFIX)} | {DRAFT}:
                drop(server, old)
            with migrated_from_nothing(DRAFT):
                pass
            rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
            server.execute(rename.format(sql.Identifier(DRAFT), sql.Identifier(name)))
    return name


def fingerprint() -> str:
    """What the tables come from, as sixteen letters and digits."""
    own = (Path(app.path) for app in apps.get_app_configs() if ROOT in Path(app.path).parents)
    found = hashlib.sha256((ROOT / "uv.lock").read_bytes())
    for file in sorted(file for folder in own for file in folder.glob("migrations/*.py")):
        found.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
    found.update(" ".join(app.name for app in apps.get_app_configs()).encode())
    return found.hexdigest()[:16]


@contextmanager
def migrated_from_nothing(name: str) -> Iterator[BaseDatabaseWrapper]:
    """A connection to a new database in which every migration has run; who asked drops it."""
    with on_the_server() as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    connections.settings[name] = {**deepcopy(connection.settings_dict), "NAME": name}
    try:
        call_command("migrate", verbosity=0, interactive=False, database=name)
        yield connections[name]
    finally:
        connections[name].close()
        del connections[name], connections.settings[name]


def empty() -> None:
    """Delete every row but those that migrating makes, until there are none."""
    while full := _tables_with_rows():
        with transaction.atomic(), connection.cursor() as cursor:
            if _may_skip_references():
                cursor.execute("SET LOCAL session_replication_role = replica")
            for table in full:
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")
        _give_back([table for table, size in full.items() if size > LARGE_BYTES])


@functools.cache
def _may_skip_references() -> bool:
    """Every row goes, so nobody needs to look for rows that refer to a deleted one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('is_superuser') = 'on'")
        return bool(cursor.fetchone()[0])


def _tables_with_rows() -> dict[str, int]:
    """The bytes that each of them takes on disk."""
    with connection.cursor() as cursor:
        cursor.execute(_rows_query())
        return dict(cursor.fetchall())


@functools.cache
def _rows_query() -> str:
    names = set(connection.introspection.django_table_names(only_existing=True)) - set(KEPT)
    return " UNION ALL ".join(
        f"SELECT '{name}', pg_relation_size('{name}') WHERE EXISTS (SELECT 1 FROM {name})"
        for name in sorted(names)
    )


def _give_back(tables: list[str]) -> None:
    """The room of very many rows, so that the next test finds a table of the usual size."""
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"VACUUM {connection.ops.quote_name(table)}")


@contextmanager
def on_the_server() -> Iterator[psycopg.Connection]:
    """A connection beside all tests, to the database that every server has."""
    at = connection.settings_dict
    with psycopg.connect(
        host=at["HOST"],
        port=at["PORT"],
        user=at["USER"],
        password=at["PASSWORD"],
        dbname="postgres",
        autocommit=True,
    ) as server:
        yield server


def drop(server: psycopg.Connection, name: str) -> None:
    """Remove a database, if there is one, from under whoever uses it."""
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
    server.execute(statement.format(sql.Identifier(name)))
