"""Servers and processes that may be broken, and a look at what is left of them afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import ledger
from tests.faults.servers import Servers
from tests.faults.site import LEASE_SECONDS, PERIOD_SECONDS, Site
from tests.processes import house
from tests.storage import mark_storage

OWN_SERVERS = "FAULTS_SERVERS"


def pytest_runtest_setup() -> None:
    """Stopping the servers that other tests and people use would be a fault of ours."""
    if OWN_SERVERS not in os.environ:
        pytest.exit("these tests stop their servers; run them with ./mb faults", returncode=2)


@pytest.fixture(scope="session")
def servers() -> Servers:
    """The run's own."""
    return Servers(Path(os.environ[OWN_SERVERS]) / "dev")


@pytest.fixture
def site(
    transactional_db: None,
    servers: Servers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Site]:
    """An installation without any process yet; what it leaves behind is looked at in the end."""
    for name in ("files", "passing"):
        (tmp_path / name).mkdir()
    mark_storage(tmp_path / "files")
    monkeypatch.setenv(ledger.FOLDER, str(tmp_path))
    ledger.open_table()
    servers.empty_redis()
    with house(
        tmp_path / "house",
        STORAGE_URL=str(tmp_path / "files"),
        TMPDIR=str(tmp_path / "passing"),
        JOB_LEASE_SECONDS=str(LEASE_SECONDS),
        RELAY_PERIOD_SECONDS=str(PERIOD_SECONDS),
        CLOCK_PERIOD_SECONDS="1",
        PYTHONDONTWRITEBYTECODE="1",  # what a process without room compiled would lack its end
        CELERY_SKIP_CHECKS="1",  # they import the whole API, for every worker that is started
    ) as started:
        made = Site(started, servers)
        yield made
        made.close()
