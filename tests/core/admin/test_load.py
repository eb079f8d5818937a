"""What staff see of the queues' load, drawn by the server."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.admin import load
from core.db.clock import database_now
from core.jobs.models import Job, JobStatus
from core.jobs.queries import Hour
from core.jobs.queues import QUEUES
from tests import make

UNTIL = datetime(2026, 11, 22, 14, 40, tzinfo=UTC)
THIS_HOUR = UNTIL.replace(minute=0)


def test_a_bar_stands_for_each_of_the_last_24_hours() -> None:
    bars = load.bars_of([], until=UNTIL)
    assert len(bars) == 24
    assert bars[-1].tip.startswith("14:00 UTC")
    assert {bar.succeeded_height + bar.failed_height for bar in bars} == {0}
    assert bars[-1].x + bars[-1].width <= load.WIDTH


def test_the_fullest_hour_fills_the_height_and_failures_stand_on_top() -> None:
    hours = [Hour(THIS_HOUR - timedelta(hours=1), 10, 0), Hour(THIS_HOUR, 30, 10)]
    *_, before, last = load.bars_of(hours, until=UNTIL)
    assert last.succeeded_height + last.failed_height == load.HEIGHT
    assert last.failed_y == 0
    assert last.failed_y + last.failed_height == last.succeeded_y
    assert before.succeeded_height == pytest.approx(load.HEIGHT / 4)
    assert last.tip == "14:00 UTC: 30 succeeded, 10 failed"


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(make.user(is_staff=True, is_superuser=True))
    return client


def page(staff: Client) -> str:
    return staff.get(reverse("admin:core_job_changelist")).content.decode()


@pytest.mark.django_db
def test_staff_see_what_waits_what_runs_and_what_failed(staff: Client) -> None:
    organization = make.organization()
    for status in (JobStatus.SUCCEEDED, JobStatus.SUCCEEDED, JobStatus.DEAD):
        make.job(organization=organization, status=status, ended_at=database_now())
    for _ in range(3):
        make.job(organization=organization)
    Job.objects.filter(status=JobStatus.QUEUED).update(run_at=database_now(plus_seconds=-300))
    html = page(staff)
    assert "2 succeeded, 1 failed; at most 3 in an hour" in html
    assert html.count("<rect") == 3 * 24
    row = re.search(r">default</a></th>(.*?)</tr>", html, flags=re.S)
    assert row is not None
    assert re.findall(r"numeric\">([^<]*)", row[1])[:3] == ["3", "0", "0"]
    assert "5 min" in row[1]
    assert "nobody is at work" in row[1]


@pytest.mark.django_db
def test_every_queue_is_shown_even_if_nothing_ever_happened(staff: Client) -> None:
    html = page(staff)
    assert all(f">{name}</a>" in html for name in QUEUES)
    assert "0 succeeded, 0 failed" in html


@pytest.mark.django_db
def test_the_picture_needs_no_script_and_three_queries(staff: Client) -> None:
    for _ in range(20):
        make.job(
            organization=make.organization(), status=JobStatus.SUCCEEDED, ended_at=database_now()
        )
    with CaptureQueriesContext(connection) as captured:
        shown = load.load_now()
    assert len(captured) == 3
    assert shown.succeeded == 20
    section = page(staff).partition('<section class="load"')[2].partition("</section>")[0]
    assert section
    assert "<script" not in section
    assert "http" not in section


@pytest.mark.django_db
def test_staff_put_a_waiting_job_before_others(staff: Client) -> None:
    job = make.job(organization=make.organization())
    chosen = {"action": "put_first", "_selected_action": [str(job.id)]}
    assert staff.post(reverse("admin:core_job_changelist"), chosen).status_code == 302
    job.refresh_from_db()
    assert job.priority == 1
