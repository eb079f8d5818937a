"""How the suite is run: whole in several processes, in parts in one."""

from __future__ import annotations

import os

import pytest

# A broker and a cache for each in the sixteen databases of one Valkey.
MOST_PROCESSES = 6


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One process per core for the whole suite; none beside this one for a part of it."""
    is_whole = config.args == config.getini("testpaths") and not config.option.keyword
    return min(os.cpu_count() or 1, MOST_PROCESSES) if is_whole else 0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow files first, so that no process waits at the end for another that has just begun one."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
