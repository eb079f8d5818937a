"""The error codes in the READMEs are those in the code."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections import Counter
from pathlib import Path

import pytest

from core import errors
from core.http.errors import all_codes, status_of

ROOT = Path(__file__).resolve().parents[2]
APPS = ("core", "meetings", "exports", "webhooks", "billing")


def load(app: str) -> None:
    """Every module of an app, because a refusal is known once its module is loaded."""
    package = importlib.import_module(app)
    for module in pkgutil.walk_packages(package.__path__, f"{app}."):
        importlib.import_module(module.name)


def rows_of(app: str) -> set[str]:
    load(app)
    return {
        f"| `{code}` | {int(status_of(kind))} | {kind.message} |"
        for code, kind in all_codes().items()
        if kind.__module__.split(".")[0] == app
    }


@pytest.mark.parametrize("app", APPS)
def test_the_readme_of_an_app_lists_its_error_codes(app: str) -> None:
    text = (ROOT / app / "README.md").read_text("utf-8")
    _, _, section = text.partition("## Error codes\n")
    listed = re.findall(r"^\| `.*\|$", section.partition("\n## ")[0], flags=re.M)

    assert set(listed) == rows_of(app)


def test_no_two_refusals_share_a_code() -> None:
    for app in APPS:
        load(app)

    counted = Counter(kind.code for kind in subclasses(errors.DomainError) if "code" in vars(kind))

    assert [code for code, number in counted.items() if number > 1] == []


def test_every_code_is_lower_case_words_joined_by_dots() -> None:
    for code in all_codes():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*(\.[a-z]+(_[a-z]+)*)?", code), code


def subclasses(kind: type[errors.DomainError]) -> set[type[errors.DomainError]]:
    below = {inner for sub in kind.__subclasses__() for inner in subclasses(sub)}
    ours = {k for k in below if k.__module__.split(".")[0] in APPS}
    return {kind, *ours}
