"""What the READMEs list and what the code has are the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from core.events.registry import event_types
from core.jobs import failures
from core.jobs.failures import JobFailure
from meetings.text.notes import MESSAGES, NoteCode

ROOT = Path(__file__).resolve().parents[2]
OPERATION = (ROOT / "config" / "deploy" / "README.md").read_text("utf-8")


def section(title: str, text: str = OPERATION) -> str:
    """The text under a heading, up to the next one; empty without that heading."""
    _, _, below = text.partition(f"# {title}\n")
    return re.split(r"^#+ ", below, maxsplit=1, flags=re.M)[0]


def in_app_readmes(title_starts_with: str) -> set[str]:
    """The first column of the tables under such a heading in every app's README."""
    found: set[str] = set()
    for path in ROOT.glob("*/README.md"):
        text = path.read_text("utf-8")
        for title in re.findall(rf"^## ({title_starts_with}.*)$", text, flags=re.M):
            found |= first_column(section(title, text))
    return found


def first_column(text: str) -> set[str]:
    return set(re.findall(r"^\| `([^`]+)`", text, flags=re.M))


def test_every_setting_is_explained_and_every_explained_one_exists() -> None:
    settings = (ROOT / "config" / "settings.py").read_text("utf-8")
    read = set(re.findall(r'env\.\w+\(\s*"(\w+)"', settings))
    assert first_column(section("Settings")) == read


def test_root_readme_stays_short() -> None:
    """Settings and operation belong into config/deploy/README.md."""
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    assert len(lines) <= 150


def test_every_command_is_listed() -> None:
    folders = ROOT.glob("*/management/commands/*.py")
    commands = {f"manage.py {path.stem}" for path in folders if path.stem != "__init__"}
    assert first_column(section("Commands")) == commands


def test_every_event_type_is_listed_in_its_apps_readme() -> None:
    declared = {kind.name for kind in event_types() if not kind.name.startswith("tests.")}
    assert in_app_readmes("Events") == declared


def test_every_reason_for_a_jobs_failure_is_listed() -> None:
    for path in ROOT.glob("*/services/*.py"):  # some only their workers load
        import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    table = {code for _, code, _, _ in failures.TABLE}
    own = {kind.code for kind in subclasses(JobFailure) if not kind.code.startswith("tests.")}
    assert in_app_readmes("Why a job") == {*table, *own, failures.LOST.code, failures.UNEXPECTED[0]}


def test_every_note_on_a_transcript_has_a_message_and_is_listed() -> None:
    text = section("Notes on a transcript", (ROOT / "meetings" / "README.md").read_text("utf-8"))
    assert set(MESSAGES) == set(NoteCode)
    for code, message in MESSAGES.items():
        assert f"| `{code}` | {message} |" in text


def subclasses(kind: type[JobFailure]) -> Iterator[type[JobFailure]]:
    yield kind
    for below in kind.__subclasses__():
        yield from subclasses(below)
