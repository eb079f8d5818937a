"""The judges: none is skipped, and one that is missing is a failure."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from config import judges
from config.judges import Judge, Locked, NotInstalled, Npm

CONTINUOUS_INTEGRATION = Path(__file__).resolve().parents[2] / ".ci" / "run"


def judge(*code: str) -> Judge:
    return Judge("python", "it says so", Locked("python"), ("-c", *code))


def test_a_judge_that_agrees_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert judges.hear(judge("pass")).passed
    assert capsys.readouterr().out == "python      ok\n"


def test_a_judge_that_finds_something_fails_with_its_words_and_our_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert not judges.hear(judge("import sys; sys.exit('a stain')")).passed
    assert capsys.readouterr().out == "python      FAILED\na stain\n-> it says so\n"


def test_a_judge_that_cannot_be_had_fails() -> None:
    absent = Judge("absent", "it should be here", Locked("no-such-program"), ())
    assert not judges.hear(absent).passed


def test_an_installation_that_fails_leaves_nothing_that_looks_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho no network\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    with pytest.raises(NotInstalled, match="no network"):
        Npm("thing", "thing@1.0.0").install()
    assert [path.name for path in (tmp_path / "cache/minutebook/judges").glob("thing*")] == []


def leave_a_note(folder: Path) -> None:
    (folder / "note").write_text("read me")


def test_a_judge_gets_the_folder_that_was_prepared_for_it() -> None:
    reads = (
        "import pathlib, sys; sys.exit(pathlib.Path(sys.argv[1], 'note').read_text() != 'read me')"
    )
    arguments = ("-c", reads, "{folder}")
    assert judges.hear(Judge("reads", "it reads", Locked("python"), arguments, leave_a_note)).passed


def test_the_example_is_filled_in_with_other_secrets_each_time(tmp_path: Path) -> None:
    seen = set()
    for _ in range(2):
        judges._fill_in_env(tmp_path)
        seen |= set(
            re.findall(r"^(?:SECRET_KEY|\w+_PASSWORD)=(.*)$", (tmp_path / ".env").read_text(), re.M)
        )
    assert len(seen) == 6
    assert min(map(len, seen)) >= 50


def test_versions_of_npm_packages_are_exact() -> None:
    tools = [*(judge.tool for judge in judges.JUDGES), *judges.WEBHOOK_LIBRARIES]
    packages = [tool.package for tool in tools if isinstance(tool, Npm)]
    assert packages
    assert all(re.search(r"@\d+\.\d+\.\d+$", package) for package in packages)


def test_continuous_integration_hears_the_judges() -> None:
    assert "./mb judges ||" in CONTINUOUS_INTEGRATION.read_text("utf-8")
