"""`./mb bench [NAME] [--check]`: run one benchmark, or list them."""

from __future__ import annotations

import argparse
import ast
import importlib
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis
from psycopg import sql

from config import devstack, local
from tests.bench import harness

FOLDER = Path(__file__).resolve().parent
DATABASE = "minutebook_bench"


def names() -> list[str]:
    """The benchmarks there are: the modules of this folder that measure something."""
    return sorted(file.stem for file in FOLDER.glob("*.py") if _measures(_parsed(file.stem)))


def _parsed(name: str) -> ast.Module:
    return ast.parse((FOLDER / f"{name}.py").read_text("utf-8"))


def _measures(module: ast.Module) -> bool:
    return any(isinstance(node, ast.FunctionDef) and node.name == "measure" for node in module.body)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print. Returns 1 with --check when a goal is missed."""
    parser = argparse.ArgumentParser(prog="./mb bench", description="Goals and measurements.")
    parser.add_argument("name", nargs="?", choices=names(), metavar="NAME")
    parser.add_argument("--check", action="store_true", help="fail when a goal is missed")
    chosen = parser.parse_args(arguments)
    if chosen.name is None:
        print("\n".join(f"{name:<24}{_sentence(name)}" for name in names()))
        return 0
    prepare()
    return _measure(chosen.name, check=chosen.check)


def _sentence(name: str) -> str:
    return (ast.get_docstring(_parsed(name)) or "").partition("\n")[0]


def _measure(name: str, *, check: bool) -> int:
    module = importlib.import_module(f"tests.bench.{name}")
    measure: Callable[[], list[harness.Goal]] = module.measure
    goals = measure()
    print(harness.table(goals))
    missed = harness.misses(goals)
    wanted = [goal for goal in goals if goal.limit is not None]
    print(f"{sum(goal.is_met for goal in wanted)} of {len(wanted)} goals met")
    return 1 if check and missed else 0


def prepare() -> None:
    """Services with the durability of production, and a database, broker, cache and files anew.

    Only the local servers are used, whatever the environment says: databases here are emptied.
    """
    for name in devstack.URLS:
        os.environ.pop(name, None)
    urls = devstack.up()
    files = devstack.home() / "bench-files"
    shutil.rmtree(files, ignore_errors=True)
    os.environ |= {
        "DATABASE_URL": _fresh_database(urls["DATABASE_URL"]),
        "REDIS_URL": _emptied(urls["REDIS_URL"], 2),
        "CACHE_URL": _emptied(urls["CACHE_URL"], 3),
        "STORAGE_URL": str(files),
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
    }
    local.prepare()
    local.migrate()


def _fresh_database(url: str) -> str:
    name = sql.Identifier(DATABASE)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
    return urlunsplit(urlsplit(url)._replace(path=f"/{DATABASE}"))


def _emptied(url: str, number: int) -> str:
    """Another numbered database of the same server, flushed."""
    other = urlunsplit(urlsplit(url)._replace(path=f"/{number}"))
    redis.Redis.from_url(other).flushdb()
    return other


if __name__ == "__main__":
    sys.exit(main())
