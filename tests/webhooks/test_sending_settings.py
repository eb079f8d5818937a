"""Settings with which nothing would be sent are found at start."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks
from pytest_django.fixtures import Settings


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("WEBHOOK_SENDERS", 0, "webhooks.E001"),
        ("WEBHOOK_BREAKER_SECONDS", -1.0, "webhooks.E001"),
        ("WEBHOOK_RETRY_SCHEDULE", [5.0, -1.0], "webhooks.E002"),
        ("WEBHOOK_DEADLINE_SECONDS", 600.0, "webhooks.E003"),
    ],
)
def test_a_wrong_setting_is_found(settings: Settings, name: str, value: Any, expected: str) -> None:
    assert not [found for found in run_checks() if (found.id or "").startswith("webhooks.")]
    setattr(settings, name, value)
    assert [found.id for found in run_checks() if (found.id or "").startswith("webhooks.")] == [
        expected
    ]
