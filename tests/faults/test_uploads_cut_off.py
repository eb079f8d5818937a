"""The database or the web process goes away between an upload's bytes and the end of its rows."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection, transaction

from config.demo import Client, DemoFailed
from core.files.disk import PARTIAL
from core.files.models import PendingFile, StoredFile
from meetings.models import Recording
from tests import make
from tests.faults import ledger
from tests.faults.site import Site
from tests.processes import wait_until

UPLOADS = 3  # as many as one web process takes at once, less one
# An upload waits for a lock on one of them: before it names its bytes, or after.
POINTS = ("meetings_meeting", "meetings_recording")


def sound(number: int) -> bytes:
    """A second of a tone that no other number has."""
    body = io.BytesIO()
    with wave.open(body, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes([number, number]) * 16_000)
    return body.getvalue()


def stored_files() -> dict[str, int]:
    """The sizes of whole files by key; uploads under way wait in a folder beside them."""
    folder = ledger.folder() / "files"
    found = (path for path in folder.glob("*-*/*") if PARTIAL not in path.name)
    return {str(path.relative_to(folder)): path.stat().st_size for path in found}


@contextmanager
def locked(table: str) -> Iterator[None]:
    """Keep others from writing to a table, on a connection that may die meanwhile."""
    with suppress(OperationalError, InterfaceError), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
        yield
    connection.close()


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("goes_away", ["database", "web"])
def test_bytes_of_uploads_that_were_cut_off_are_removed_within_seconds(
    site: Site, monkeypatch: pytest.MonkeyPatch, point: str, goes_away: str
) -> None:
    environment: Any = site.house.environment
    monkeypatch.setitem(environment, "PENDING_FILE_SECONDS", "15")
    web = site.house.start("web")
    site.relay()
    site.worker()
    wait_until(lambda: site.answers("/api/health/ready") == 200, "the web process is ready")
    client = Client(site.house.port, make.api_key())
    meeting = client.create_meeting("Cut off")
    address = f"/api/v1/meetings/{meeting}/recordings/"
    wav = {"Content-Type": "audio/wav"}
    kept = client.ask("POST", address, sound(0), wav)
    assert kept[0] == 202

    with ThreadPoolExecutor(UPLOADS) as clients, locked(point):
        answers = [
            clients.submit(client.ask, "POST", address, sound(number), wav)
            for number in range(1, UPLOADS + 1)
        ]
        wait_until(lambda: len(stored_files()) == UPLOADS + 1, "the bytes are stored")
        if goes_away == "web":
            site.house.kill(web)
            assert {type(answer.exception()) for answer in answers} == {DemoFailed}
        else:
            site.servers.stop_postgresql()
            assert {answer.result()[0] for answer in answers} == {503}
    assert len(stored_files()) == UPLOADS + 1
    site.servers.start()

    wait_until(lambda: len(stored_files()) == 1, "only the accepted recording is left")
    stored = StoredFile.objects.get()
    assert stored_files() == {stored.key: stored.size_bytes}
    assert not PendingFile.objects.exists()
    assert Recording.objects.count() == 1
