"""A local run: the services up, secrets kept, the database tables up to date.

`python -m config.local COMMAND ...` is `./mb manage COMMAND ...`.
"""

from __future__ import annotations

import fcntl
import os
import sys

import django
from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from config import devstack
from config.command_line import run_command

# These look at migrations or at no table at all, so they must find things as they are.
NEEDS_NO_TABLES = frozenset({
    "check", "collectstatic", "help", "makemigrations", "migrate", "optimizemigration",
    "showmigrations", "spectacular", "sqlmigrate", "squashmigrations", "startapp", "version",
})  # fmt: skip

# These need no server at all.
STANDS_ALONE = frozenset({"analyse", "transcribe"})


def prepare(profile: str = "dev") -> None:
    """Start the services and complete this process's environment. What is set already stays."""
    for name, value in environment(profile).items():
        os.environ.setdefault(name, value)


def environment(profile: str = "dev") -> dict[str, str]:
    """Start the services; what a process needs to work beside the others of this machine."""
    folder = devstack.home(profile)
    own = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "ENV_FILE": "",
        "SECRET_KEY": devstack.kept_secret(profile, "secret_key"),
        "SECRET_KEYS": devstack.kept_key(profile),
        "COOKIES_SECURE": "false",
        # Receivers of webhooks on this very machine, for trying them out.
        "OUTBOUND_ALLOW_HTTP": "true",
        "SSRF_ALLOW_CIDRS": "127.0.0.0/8,::1/128",
        "LOG_FORMAT": "console",
        "STATIC_ROOT": str(folder / "static"),
        "STORAGE_URL": str(folder / "files"),
    }
    return own | devstack.up(profile)


def migrate() -> None:
    """Apply the migrations that are not applied yet; one process at a time."""
    django.setup()
    with (devstack.home() / "migrate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        executor = MigrationExecutor(connections["default"])
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            print("mb: bringing the database tables up to date", file=sys.stderr)
            call_command("migrate", interactive=False, verbosity=0)
    connections.close_all()


def main(arguments: list[str]) -> int:
    """Run a Django command against the local services."""
    command = arguments[0] if arguments else "help"
    os.environ.setdefault("DEBUG", "true")
    if command in STANDS_ALONE:
        os.environ.setdefault("ENV_FILE", "")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    else:
        try:
            prepare()
        except devstack.ServiceError as error:
            print(f"mb: {error}", file=sys.stderr)
            return 1
        if not command.startswith("-") and command not in NEEDS_NO_TABLES:
            migrate()
    run_command(["./mb manage", *arguments])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
