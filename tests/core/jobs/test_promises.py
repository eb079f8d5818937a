"""The README of the job engine names a test for what it promises, and each of them exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_every_test_that_a_promise_names_exists() -> None:
    readme = (ROOT / "core" / "jobs" / "README.md").read_text("utf-8")
    folders = (ROOT / "tests" / "core" / "jobs", ROOT / "tests" / "faults")
    files = [path for folder in folders for path in folder.glob("test_*.py")]
    written = {
        name
        for path in files
        for name in re.findall(r"^def (test_\w+)", path.read_text("utf-8"), flags=re.M)
    }
    named = set(re.findall(r"`(test_\w+)`", readme))
    assert len(named) > 20
    assert named <= written
    for path in re.findall(r"`(tests/[\w/]+\.py)`", readme):
        assert (ROOT / path).is_file(), path
    promises = readme.partition("## What is promised")[2].partition("\n## ")[0]
    for promise in promises.split("\n- **")[1:]:
        assert "test_" in promise or promise.startswith("Recovery"), promise
