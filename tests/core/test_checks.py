"""Misconfiguration is found at start, with an id and a hint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from pytest_django.fixtures import Settings

from core.events import registry
from core.jobs import policies
from core.jobs.backoff import Fixed
from core.jobs.policies import Policy
from core.notifications import kinds

pytestmark = pytest.mark.django_db  # deployment checks ask the database


def found(*, deploy: bool = False) -> dict[str, str]:
    """The ids of our findings and their hints."""
    findings = run_checks(include_deployment_checks=deploy)
    return {
        str(finding.id): finding.hint or ""
        for finding in findings
        if str(finding.id).startswith(("core.", "meetings."))
    }


def test_a_sound_configuration_has_no_findings(settings: Settings) -> None:
    settings.PUBLIC_URL = "https://localhost"
    assert found(deploy=True) == {}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SECRET_KEY", "short", "core.E001"),
        ("DATABASE_URL", "", "core.E002"),
        ("DATABASE_URL", "sqlite:///x", "core.E002"),
        ("REDIS_URL", "", "core.E003"),
        ("CACHE_URL", "memory://", "core.E004"),
        ("DATABASE_POOL", [5], "core.E006"),
        ("DATABASE_POOL", [9, 3], "core.E006"),
        ("JOB_LEASE_SECONDS", 0.0, "core.E009"),
        ("ASR_THREADS", -1, "core.E009"),
        ("JOB_RUNNING_PER_ORGANIZATION", {"defualt": 3}, "core.E012"),
        ("JOB_RUNNING_PER_ORGANIZATION", {"default": 0}, "core.E012"),
    ],
)
def test_a_wrong_setting_is_found(settings: Settings, name: str, value: Any, expected: str) -> None:
    setattr(settings, name, value)
    findings = found()
    assert expected in findings
    assert findings[expected].endswith(".")


def test_a_cache_in_the_brokers_database_is_found(settings: Settings) -> None:
    settings.CACHE_URL = settings.REDIS_URL
    assert "core.E005" in found()


def test_a_queue_that_nobody_serves_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = Policy("tests.lost", "nowhere", 1, 1.0, Fixed(1), 0, print)
    monkeypatch.setitem(policies._policies, policy.kind, policy)
    assert "core.E007" in found()


def test_a_listener_to_an_unknown_event_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    listener = registry.Subscriber("x", "tests.unheard_of", print)
    monkeypatch.setitem(registry._subscribers, "tests.unheard_of", [listener])
    assert "core.E008" in found()


def test_a_folder_that_cannot_be_written_is_found(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings.STORAGE_URL = str(tmp_path / "file" / "below")
    assert "core.E010" in found()


def test_debug_is_found_on_deployment(settings: Settings) -> None:
    settings.DEBUG = True
    assert "core.W001" in found(deploy=True)


def test_a_missing_model_is_found_on_deployment(settings: Settings, tmp_path: Path) -> None:
    settings.ASR_MODEL_DIR = str(tmp_path)
    assert "meetings.E001" in found(deploy=True)


def test_an_installation_without_a_mail_server_is_told_so(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    assert "core.W003" in found(deploy=True)
    assert "core.W003" not in found()


def test_a_kind_of_notification_without_words_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = kinds.NotificationKind("silent.kind", "Nothing was written for it.")
    monkeypatch.setitem(kinds._kinds, silent.name, silent)
    assert "core.E011" in found()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:8000", "core.W005"),
        ("https://elsewhere.example", "core.E016"),
        ("minutes", "core.E016"),
    ],
)
def test_a_public_address_that_leads_nowhere_is_found(
    settings: Settings, url: str, expected: str
) -> None:
    settings.PUBLIC_URL = url
    assert expected in found(deploy=True)
