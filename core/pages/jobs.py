"""`/jobs/{id}/`: the page that a letter about a job leads to."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import View

from core.accounts.actor import Actor
from core.accounts.models import Role
from core.jobs import queries as job_queries
from core.jobs import subjects
from core.jobs.models import Job
from core.pages.policy import protect


class JobView(LoginRequiredMixin, View):
    """Shows a job to who may see it in any of their organizations."""

    def get(self, request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
        user: Any = request.user
        for member in user.memberships.select_related("organization"):
            actor = Actor(user, member.organization, Role(member.role))
            visible = job_queries.with_children_progress(Job.objects.visible_to(actor))
            job = visible.filter(id=job_id).first()
            if job is not None:
                return self._page(request, job, subjects.work_of(job, actor))
        raise Http404

    def _page(self, request: HttpRequest, job: Job, work: subjects.Work) -> HttpResponse:
        values = {
            "job": job,
            "work": work,
            "step": job_queries.shown_step(job),
            "percent": int(job_queries.shown_progress(job) * 100),
        }
        return protect(render(request, "jobs/job.html", values))
