"""What staff see of analyses."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from core.jobs import services as jobs
from meetings.models import Analysis
from tests import make
from tests.meetings.insight import address, analysed, send

pytestmark = pytest.mark.django_db


def staff() -> Client:
    client = Client()
    client.force_login(make.user(is_staff=True, is_superuser=True))
    return client


def cells(client: Client, address: str, column: str) -> list[str]:
    """The column's texts, from the top."""
    page = client.get(address).content.decode()
    found = re.findall(rf'<t[dh] class="field-{column}">(.*?)</t[dh]>', page)
    return [re.sub("<[^>]*>", "", cell).split()[-1] for cell in found]


def test_an_analysis_that_was_cancelled_does_not_stay_queued_for_ever() -> None:
    actor = make.actor()
    client = make.client(actor)
    done, cancelled, waiting = (make.meeting(organization=actor.organization) for _ in range(3))
    analysed(client, done)
    for meeting in (cancelled, waiting):
        send(client, meeting)
        client.post(address(meeting))
    job: Any = Analysis.objects.get(meeting=cancelled).job
    jobs.cancel_job(job=job)
    looking = staff()
    assert cells(looking, "/admin/meetings/meeting/", "analysed") == [
        "queued",
        "cancelled",
        "succeeded",
    ]
    assert cells(looking, "/admin/meetings/analysis/", "how") == [
        "queued",
        "cancelled",
        "succeeded",
    ]
    for status in ("queued", "cancelled", "succeeded"):
        found = cells(looking, f"/admin/meetings/analysis/?status={status}", "how")
        assert found == [status]
    assert cells(looking, "/admin/meetings/analysis/?status=failed", "how") == []
