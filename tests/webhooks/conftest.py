"""Receivers live on this machine, so it counts as a public place here."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings


@pytest.fixture(autouse=True)
def _receivers_are_public(settings: Settings) -> None:
    settings.SSRF_ALLOW_CIDRS = ["127.0.0.0/8"]
