"""`/api/v1/jobs/`: background work as those who wait for it watch it."""

from __future__ import annotations

import hashlib
import uuid
from functools import partial
from http import HTTPStatus
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.http import parse_etags
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core import errors
from core.http.renderers import to_json
from core.http.views import ReadViewSet
from core.jobs import queries as job_queries
from core.jobs import services as job_services
from core.jobs import subjects
from core.jobs.models import Job, JobStatus
from core.jobs.policies import is_internal
from core.jobs.serializers import JobSerializer, WatchedJobSerializer

# How long to wait before the next look at a job, in seconds.
SOONEST_LOOK, USUAL_LOOK, LATEST_LOOK = 1, 2, 15

IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The ETag of the last answer.",
)


def _about(
    about: subjects.SubjectFilter, jobs: QuerySet[Job], _name: str, value: uuid.UUID
) -> QuerySet[Job]:
    return jobs.filter(subject_id__in=list(about.ids_of(value)))


class JobFilter(django_filters.FilterSet):
    """`status`, `kind`, `subject`, and what the apps say jobs may be about."""

    status = django_filters.ChoiceFilter(choices=JobStatus.choices)
    kind = django_filters.CharFilter()
    subject = django_filters.UUIDFilter(field_name="subject_id")

    class Meta:
        model = Job
        fields = ("status", "kind")

    @classmethod
    def get_filters(cls) -> Any:
        filters = super().get_filters()
        for about in subjects.declared():
            narrow = partial(_about, about)
            filters[about.name] = django_filters.UUIDFilter(
                method=narrow, help_text=about.description
            )
        return filters


class InternalJob(errors.NotAllowed):
    """Somebody's letter, or bytes to be removed: no colleague may stop that."""

    code = "job.internal"
    message = "This follows from what was done already. Only staff can stop it."


class JobViewSet(ReadViewSet):
    """The jobs of the organization, newest first."""

    queryset = Job.objects.all()
    serializer_class = WatchedJobSerializer
    filterset_class = JobFilter
    scope_family = "jobs"

    def get_queryset(self) -> QuerySet[Any]:
        visible: Any = super().get_queryset()
        if self.action == "list":
            visible = visible.top_level()
        return job_queries.with_children_progress(visible)

    def paginate_queryset(self, queryset: Any) -> Any:
        return job_queries.with_estimates(super().paginate_queryset(queryset) or [])

    @extend_schema(
        summary="Read a job",
        description="Until the job has ended, `Retry-After` says when to ask again, in seconds. "
        "Send the `ETag` as `If-None-Match` to get 304 while nothing has changed.",
        parameters=[IF_NONE_MATCH],
        responses={200: WatchedJobSerializer, 304: OpenApiResponse(description="Nothing changed.")},
    )
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        [job] = job_queries.with_estimates([self.get_object()])
        etag = etag_of(job)
        if _is_known(etag, request):
            answer = Response(status=HTTPStatus.NOT_MODIFIED)
        else:
            answer = Response(self.get_serializer(job).data)
        answer["ETag"] = etag
        answer["Cache-Control"] = "private, no-cache"
        if not job.has_ended:
            answer["Retry-After"] = str(next_look(job))
        return answer

    @extend_schema(
        operation_id="jobs_cancel",
        summary="Cancel a job",
        description="A queued job ends at once, a running one at its next checkpoint.",
        request=None,
        responses={200: JobSerializer},
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        job = self.get_object()
        if is_internal(job.kind):
            raise InternalJob
        job = job_services.cancel_job(job=job)
        return Response(JobSerializer(job).data, status=HTTPStatus.OK)


def etag_of(job: Job) -> str:
    """Weak, over everything that is shown but the estimate, which changes with every second."""
    shown = to_json(JobSerializer(job).data)
    return f'W/"{hashlib.sha256(shown).hexdigest()[:32]}"'


def next_look(job: Job) -> int:
    """Seconds until another look may show something: sooner towards the end, as far as known."""
    left = job_queries.seconds_left(job)
    return USUAL_LOOK if left is None else min(max(left // 4, SOONEST_LOOK), LATEST_LOOK)


def _is_known(etag: str, request: Request) -> bool:
    known = parse_etags(request.headers.get("If-None-Match", ""))
    return known == ["*"] or etag in known
