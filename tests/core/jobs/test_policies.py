"""The policies are the ones that were decided, and the README's tables show them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from core.jobs.backoff import Exponential, Fixed
from core.jobs.policies import Policy, policies, policy_of
from core.jobs.queues import QUEUES, Queue
from tests.core.jobs import kinds  # noqa: F401 - registers the kinds

README = Path(__file__).resolve().parents[3] / "core" / "README.md"


def pause(of: Queue | Policy) -> str:
    return "none" if of.attempts == 1 else str(of.backoff)


def queue_rows() -> list[str]:
    return [
        f"| `{queue.name}` | {queue.concurrency} | {queue.running_per_organization}"
        f" | {queue.attempts} | {pause(queue)} | {queue.time_limit_seconds:g} s |"
        for queue in QUEUES.values()
    ]


def kind_rows() -> list[str]:
    return [
        f"| `{policy.kind}` | {policy.queue} | {policy.attempts} | {pause(policy)}"
        f" | {policy.time_limit_seconds:g} s | {clock(policy)} |"
        for policy in policies()
        if not policy.kind.startswith("tests.")
    ]


def clock(policy: Policy) -> str:
    return f"every {policy.every_seconds / 3600:g} h" if policy.every_seconds else ""


@pytest.mark.parametrize("rows", [queue_rows, kind_rows])
def test_the_readme_shows_every_policy(rows: Callable[[], list[str]]) -> None:
    table = "\n".join(rows())
    assert table in README.read_text("utf-8"), f"core/README.md should say:\n{table}"


@pytest.mark.parametrize(
    ("queue", "attempts", "seconds", "backoff"),
    [
        ("transcription", 5, 300, Exponential(first=2.0)),
        ("analysis", 3, 120, Exponential(first=2.0)),
        ("export", 3, 120, Exponential(first=2.0)),
        ("notification", 5, 60, Fixed(5)),
    ],
)
def test_a_queue_has_the_policy_that_was_asked_for(
    queue: str, attempts: int, seconds: float, backoff: Exponential | Fixed
) -> None:
    found = QUEUES[queue]
    assert (found.attempts, found.time_limit_seconds, found.backoff) == (attempts, seconds, backoff)


def test_a_kind_names_only_what_differs_from_its_queue() -> None:
    assert policy_of("tests.note").attempts == QUEUES["default"].attempts
    assert policy_of("tests.fail").backoff == Fixed(0)
    windows, whole = (policy_of(f"meetings.transcribe_{x}") for x in ("windows", "recording"))
    assert (windows.attempts, windows.time_limit_seconds) == (5, 300)
    assert (whole.attempts, whole.time_limit_seconds) == (5, 1800)


def test_a_growing_pause_stays_under_its_ceiling() -> None:
    ceilings = [max(Exponential(2.0, 600).delay(attempt) for _ in range(300)) for attempt in (1, 5)]
    assert 1 < ceilings[0] <= 2
    assert 16 < ceilings[1] <= 32
    assert Exponential(2.0, 600).delay(12) <= 600


def test_a_setting_overrides_what_an_organization_may_run(settings: Settings) -> None:
    assert QUEUES["analysis"].running_per_organization == 2
    settings.JOB_RUNNING_PER_ORGANIZATION = {"analysis": 4}
    assert QUEUES["analysis"].running_per_organization == 4
