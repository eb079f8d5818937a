"""What the import contracts in pyproject.toml cannot see."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = ("core", "meetings", "exports", "webhooks", "billing")
ENGINES = {
    "meetings": {
        "analysis", "chat", "diarization", "importers", "llm", "media", "ocr", "text",
        "transcription",
    },
    "exports": {"renderers"},
    "webhooks": {"delivery", "signatures"},
    "billing": {"quotas", "stripe_client"},
}  # fmt: skip
DRAWERS = {"base", "common", "helpers", "lib", "misc", "shared", "tools", "utils"}
# Packages that Django or an app imports as one module, so they gather what lies inside.
GATHERERS = {"admin", "management", "migrations", "models"}
# `django.template` renders text and touches no row.
ALLOWED_DJANGO = ("django.template", "django.utils")


def modules(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def engine_places() -> list[Path]:
    """Engines that exist, each a package or a module."""
    named = [ROOT / app / engine for app, engines in ENGINES.items() for engine in engines]
    return sorted(path for path in named if path.is_dir() or path.with_suffix(".py").is_file())


def imported_names(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield f"{node.module}"


@pytest.mark.parametrize(
    "engine", engine_places(), ids=lambda path: f"{path.parent.name}.{path.name}"
)
def test_an_engine_knows_nothing_of_the_database_or_the_queue(engine: Path) -> None:
    files = engine.rglob("*.py") if engine.is_dir() else [engine.with_suffix(".py")]
    breaches = [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in files
        for name in imported_names(file)
        if name.partition(".")[0] in {"django", "rest_framework", "celery"}
        and not name.startswith(ALLOWED_DJANGO)
    ]

    assert breaches == []


def test_every_engine_is_named_in_the_import_contracts() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    protected = {
        module
        for contract in contracts["contracts"]
        if contract["type"] == "protected"
        for module in contract["protected_modules"]
    }

    assert {f"{path.parent.name}.{path.name}" for path in engine_places()} <= protected


def test_no_module_is_a_drawer() -> None:
    named = [*modules(*APPS, "config", "tests"), *(ROOT / app for app in APPS)]
    drawers = {
        path
        for path in named
        for part in path.relative_to(ROOT).with_suffix("").parts
        if part in DRAWERS
    }

    # Django looks for a database backend in a module of this name.
    assert drawers <= {ROOT / "core" / "db" / "postgresql" / "base.py"}


@pytest.mark.parametrize("app", APPS)
def test_every_app_says_what_it_is(app: str) -> None:
    readme = ROOT / app / "README.md"

    assert readme.is_file()
    assert len(readme.read_text("utf-8").splitlines()) >= 5


def test_every_package_says_what_it_is_in_one_sentence_and_holds_nothing_else() -> None:
    silent, busy = [], []
    for file in modules(*APPS):
        if file.name == "__init__.py" and not GATHERERS & set(file.parts):
            tree = ast.parse(file.read_text("utf-8"))
            silent += [] if ast.get_docstring(tree) else [str(file.relative_to(ROOT))]
            busy += [str(file.relative_to(ROOT))] if len(tree.body) > 1 else []

    assert silent == []
    assert busy == []
