"""What a meeting comes to, over HTTP."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.http.views import ApiView
from meetings import queries
from meetings.analysis.findings import Section
from meetings.api.items import (
    AnalysisRequestSerializer,
    InsightSerializer,
    RequestedAnalysisSerializer,
)
from meetings.api.parameters import id_in
from meetings.models import Meeting
from meetings.services import analysis as analysis_services

RECORDING = OpenApiParameter(
    "recording",
    OpenApiTypes.UUID,
    description="Only findings from this recording; without it, from the whole text.",
)


class MeetingAnalysis(ApiView):
    """The analysis of a meeting's whole text, with the words that everything rests on."""

    scope_family = "meetings"
    query_parameters = {"get": ("recording",), "post": ("recording",)}

    @extend_schema(
        operation_id="meetings_analysis",
        summary="Read the analysis",
        parameters=[RECORDING],
        responses=InsightSerializer,
    )
    def get(self, request: Request, meeting_id: UUID) -> Response:
        meeting = get_object_or_404(Meeting.objects.visible_to(self.actor), id=meeting_id)
        recording_id = id_in(request, "recording", queries.AnalysisNotReady)
        analysis = queries.analysis_of(meeting, recording_id=recording_id)
        insight = queries.insight_of(analysis, recording_id=recording_id)
        return Response(InsightSerializer(insight).data)

    @extend_schema(
        operation_id="meetings_analyse",
        summary="Start a new analysis",
        description=(
            "Every new text is analysed by itself. This analyses the whole text again, or one "
            "`section`. If the same work is already running, the answer is that analysis; if "
            "another section is running, 409 `analysis.busy`. Items that people confirmed, "
            "dismissed, edited or completed are kept."
        ),
        request=AnalysisRequestSerializer,
        responses={202: RequestedAnalysisSerializer},
    )
    def post(self, request: Request, meeting_id: UUID) -> Response:
        meeting = get_object_or_404(Meeting.objects.visible_to(self.actor), id=meeting_id)
        asked = AnalysisRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        section = asked.validated_data.get("section")
        analysis = analysis_services.request_analysis(
            meeting=meeting,
            actor=self.actor,
            section=Section(section) if section else None,
        )
        return Response(RequestedAnalysisSerializer(analysis).data, status=HTTPStatus.ACCEPTED)
