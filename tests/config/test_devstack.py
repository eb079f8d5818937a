"""The local servers: started once however often they are asked for, back after any kill."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from config import devstack
from core.secrets.keyring import read_keys

pytestmark = pytest.mark.slow


@contextlib.contextmanager
def own_folder() -> Iterator[Path]:
    """A folder that the server's user may enter, and no addresses in the environment."""
    folder = Path(tempfile.mkdtemp(prefix="devstack-"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEVSTACK_HOME", str(folder))
        for name in devstack.URLS:
            patch.delenv(name, raising=False)
        yield folder
        for profile in devstack.PROFILES:
            devstack.down(profile)
    shutil.rmtree(folder)


@pytest.fixture
def empty_home() -> Iterator[Path]:
    """For tests that need a first start."""
    with own_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder and the addresses of its servers: making a cluster is the slow part."""
    with own_folder() as folder:
        yield folder, devstack.up("test")


@pytest.fixture
def stack_home(running: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of servers that were started for this module, named in the environment.

    A test may stop, kill and start them: passwords and ports stay the same.
    """
    monkeypatch.setenv("DEVSTACK_HOME", str(running[0]))
    for name in devstack.URLS:
        monkeypatch.delenv(name, raising=False)
    return running[0]


def write_something(urls: dict[str, str]) -> None:
    with psycopg.connect(urls["DATABASE_URL"]) as connection:
        connection.execute("DROP TABLE IF EXISTS kept")
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('still here')")


def read_something(urls: dict[str, str]) -> str:
    with psycopg.connect(urls["DATABASE_URL"]) as connection:
        row = connection.execute("SELECT word FROM kept").fetchone()
    assert row
    return str(row[0])


def process_numbers(urls: dict[str, str], folder: Path) -> tuple[int, int]:
    (pid_file,) = folder.glob("*/pg*/postmaster.pid")
    info = redis.Redis.from_url(urls["REDIS_URL"]).info("server")
    return int(pid_file.read_text().splitlines()[0]), int(info["process_id"])


def test_a_second_start_finds_the_same_servers(stack_home: Path) -> None:
    first = devstack.up("test")
    numbers = process_numbers(first, stack_home)

    second = devstack.up("test")

    assert second == first
    assert process_numbers(second, stack_home) == numbers


def test_the_broker_and_the_cache_are_two_databases_of_one_server(stack_home: Path) -> None:
    urls = devstack.up("test")

    redis.Redis.from_url(urls["REDIS_URL"]).set("job", "1")

    assert urls["REDIS_URL"].endswith("/0")
    assert urls["CACHE_URL"].endswith("/1")
    assert redis.Redis.from_url(urls["CACHE_URL"]).get("job") is None


def test_the_servers_are_the_ones_of_the_wheels(stack_home: Path) -> None:
    versions = devstack.server_versions(devstack.up("test"))

    assert versions["postgresql"].startswith("18.")
    assert versions["valkey"].startswith("9.")


def test_four_starts_at_once_end_with_one_pair_of_servers(empty_home: Path) -> None:
    command = [sys.executable, "-m", "config.devstack", "up", "--profile", "test"]
    starts = [
        subprocess.Popen(command, cwd=devstack.ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    said = {start.communicate()[0] for start in starts}

    assert [start.returncode for start in starts] == [0, 0, 0, 0]
    assert len(said) == 1


def test_data_survives_a_stop_and_a_start(stack_home: Path) -> None:
    write_something(devstack.up("test"))

    assert devstack.down("test") == ["PostgreSQL", "Valkey"]

    assert devstack.down("test") == []
    assert read_something(devstack.up("test")) == "still here"


def test_both_come_back_after_kill_9_with_the_data(empty_home: Path) -> None:
    urls = devstack.up("dev")  # the test profile gives up this very promise for speed
    write_something(urls)
    for number in process_numbers(urls, empty_home):
        os.kill(number, signal.SIGKILL)

    assert read_something(devstack.up("dev")) == "still here"


def test_the_fast_profile_too_comes_back_after_kill_9(stack_home: Path) -> None:
    urls = devstack.up("test")
    for number in process_numbers(urls, stack_home):
        os.kill(number, signal.SIGKILL)

    assert devstack.server_versions(devstack.up("test"))


def test_a_pid_file_that_names_a_living_stranger_does_not_block_the_start(stack_home: Path) -> None:
    write_something(devstack.up("test"))
    devstack.down("test")
    (data,) = stack_home.glob("test/pg*")
    owner = data.stat()
    stranger = subprocess.Popen(["sleep", "60"], user=owner.st_uid if os.geteuid() == 0 else None)
    pid_file = data / "postmaster.pid"
    pid_file.write_text(f"{stranger.pid}\n{data}\n0\n1\n\n\n0 0\nready\n")
    os.chown(pid_file, owner.st_uid, owner.st_gid)

    try:
        assert read_something(devstack.up("test")) == "still here"
    finally:
        stranger.kill()
        stranger.wait()


def test_a_start_interrupted_while_the_cluster_was_made_is_begun_again(empty_home: Path) -> None:
    draft = devstack.home("test") / "pg18.new"
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18\n")

    urls = devstack.up("test")

    assert devstack.server_versions(urls)["postgresql"]


def test_nobody_else_may_read_passwords_or_data(stack_home: Path) -> None:
    devstack.up("test")
    folder = stack_home / "test"

    modes = {path.name: path.stat().st_mode & 0o077 for path in folder.iterdir()}

    assert modes["state.json"] == modes["pg18"] == modes["valkey"] == 0
    assert (folder / "valkey" / "valkey.conf").stat().st_mode & 0o077 == 0


def test_given_addresses_are_used_and_nothing_is_started(
    empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {
        "DATABASE_URL": "postgresql://elsewhere/minutebook",
        "REDIS_URL": "redis://elsewhere:6379/4",
    }
    for name, url in given.items():
        monkeypatch.setenv(name, url)

    assert devstack.up("test") == given | {"CACHE_URL": "redis://elsewhere:6379/5"}
    assert not list(empty_home.iterdir())


def test_a_kept_secret_is_made_once_per_name(stack_home: Path) -> None:
    first = devstack.kept_secret("test", "secret_key")

    assert devstack.kept_secret("test", "secret_key") == first
    assert devstack.kept_secret("test", "another") != first
    assert len(first) >= 50


def test_the_key_of_values_at_rest_is_kept_and_can_be_used(stack_home: Path) -> None:
    first = devstack.kept_key("test")

    assert devstack.kept_key("test") == first
    assert read_keys(first).ids == ("local",)


def test_a_folder_of_another_user_is_refused(
    empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (empty_home / "elsewhere").mkdir()
    (empty_home / "test").symlink_to(empty_home / "elsewhere")

    with pytest.raises(devstack.ServiceError, match="belongs to another user"):
        devstack.up("test")
    (empty_home / "test").unlink()


def test_status_says_what_runs(stack_home: Path) -> None:
    devstack.down("test")
    before = devstack.status("test")
    devstack.up("test")
    after = devstack.status("test")

    assert before["PostgreSQL"] == before["Valkey"] == "not running"
    assert after["PostgreSQL"].startswith("running at 127.0.0.1:")
    assert after["Valkey"].startswith("running at 127.0.0.1:")
