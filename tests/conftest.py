"""How the suite is run: whole in several processes, in parts in one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

# A broker and a cache for each in the sixteen databases of one Valkey.
MOST_PROCESSES = 6
FAULTS = Path(__file__).resolve().parent / "faults"


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One process per core for the whole suite; none beside this one for a part of it."""
    is_whole = config.args == config.getini("testpaths") and not config.option.keyword
    return min(os.cpu_count() or 1, MOST_PROCESSES) if is_whole else 0


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The faults stop their servers, so they run only when named: `./mb faults` does."""
    if collection_path != FAULTS:
        return None
    named = [(Path.cwd() / word.partition("::")[0]).resolve() for word in config.args]
    return None if any(path.is_relative_to(FAULTS) for path in named) else True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: nobody then waits at the end for one that was begun late."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: DjangoDbBlocker
) -> None:
    """What pytest-django asks for just before it makes this process's database."""
    # Django is not set up yet when pytest reads this file.
    from django.test import TransactionTestCase

    from tests import database

    with django_db_blocker.unblock():
        database.copy_the_template()
    # Django has no setting for it, and pytest-django makes its test cases out of this class.
    TransactionTestCase._fixture_teardown = lambda _: database.empty()  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Let the storage of this test process belong to its database, whatever it held before."""
    from django.conf import settings

    from core.db.clock import database_now
    from core.files.models import StorageMarker
    from tests.storage import STORAGE_ID, mark_storage

    with django_db_blocker.unblock():
        StorageMarker.objects.create(value=STORAGE_ID, written_at=database_now())
    mark_storage(Path(settings.STORAGE_URL))
