"""`/api/v1/jobs/{id}/`: background work as those who wait for it watch it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.mixins import RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from core.http.views import RowViewSet
from core.jobs import queries as job_queries
from core.jobs import services as job_services
from core.jobs.models import Job
from core.jobs.serializers import JobSerializer


class JobViewSet(RetrieveModelMixin, RowViewSet):
    """The jobs of the organization, each with its status, progress, step and error."""

    queryset = Job.objects.all()
    serializer_class = JobSerializer
    scope_family = "jobs"

    def get_queryset(self) -> QuerySet[Any]:
        visible: Any = super().get_queryset()
        return job_queries.with_children_progress(visible)

    @extend_schema(
        operation_id="jobs_cancel",
        summary="Cancel a job",
        description="Ends a waiting job at once, a running one at its next checkpoint.",
        request=None,
        responses={200: JobSerializer},
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        job = job_services.cancel_job(job=self.get_object())
        return Response(JobSerializer(job).data, status=HTTPStatus.OK)
