"""Every registered model has a list and a page that staff can open."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from core.jobs.models import JobStatus
from core.jobs.services import HOUSEKEEPING, enqueue
from tests import make
from tests.core.jobs import kinds  # noqa: F401 - registers the kinds
from tests.run_jobs import run_jobs

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(make.user(is_staff=True, is_superuser=True))
    return client


def test_every_list_and_every_row_opens(staff: Client) -> None:
    make.everything(organization=make.organization())
    enqueue(kind="tests.steps", origin=HOUSEKEEPING, arguments={"fail_at": 9})
    enqueue(kind="tests.fail", origin=HOUSEKEEPING, arguments={"how": "passing"})
    run_jobs()
    opened = set()
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert staff.get(reverse(f"{name}_changelist")).status_code == 200, model
        for row in model._default_manager.all():
            page = staff.get(reverse(f"{name}_change", args=[row.pk]))
            assert page.status_code == 200, model
            opened.add(model._meta.label)
    empty = {"django_celery_results.TaskResult"}
    assert {model._meta.label for model in admin.site._registry} - opened == empty


def test_staff_queue_a_dead_job_again_and_cancel_a_waiting_one(staff: Client) -> None:
    job = enqueue(kind="tests.fail", origin=HOUSEKEEPING, arguments={"how": "passing"})
    run_jobs()
    for action, status in (("requeue", JobStatus.QUEUED), ("cancel", JobStatus.CANCELLED)):
        chosen = {"action": action, "_selected_action": [str(job.id)]}
        assert staff.post(reverse("admin:core_job_changelist"), chosen).status_code == 302
        job.refresh_from_db()
        assert job.status == status


def test_nobody_else_enters(staff: Client) -> None:
    person = Client()
    person.force_login(make.user())
    assert person.get(reverse("admin:core_job_changelist")).status_code == 302
