"""Transcripts over HTTP."""

from __future__ import annotations

from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.http.pagination import CursorPages
from core.http.views import ApiView
from meetings import queries
from meetings.api.serializers import (
    MeetingTranscriptSerializer,
    SegmentSerializer,
    TranscriptSerializer,
)
from meetings.models import Meeting


class MeetingTranscript(ApiView):
    """The text of a meeting: the transcript of one recording, and a page of its segments."""

    scope_family = "meetings"
    ordering = ("position", "id")

    @extend_schema(
        operation_id="meetings_transcript",
        summary="Read the transcript",
        parameters=[
            OpenApiParameter(
                "recording",
                OpenApiTypes.UUID,
                description="Which recording's; without it, the first one that has a transcript.",
            ),
            OpenApiParameter(
                "transcript",
                OpenApiTypes.UUID,
                description="Which version; the addresses of further pages name the first page's.",
            ),
            OpenApiParameter("cursor", OpenApiTypes.STR),
            OpenApiParameter("page_size", OpenApiTypes.INT, description="1 to 100, 20 if absent."),
        ],
        responses=MeetingTranscriptSerializer,
    )
    def get(self, request: Request, meeting_id: UUID) -> Response:
        meeting = get_object_or_404(Meeting.objects.visible_to(self.actor), id=meeting_id)
        transcript = queries.transcript_of(
            meeting,
            recording_id=_id_in(request, "recording"),
            transcript_id=_id_in(request, "transcript"),
        )
        pages = CursorPages()
        pages.pinned = {"transcript": str(transcript.id)}
        segments = pages.paginate_queryset(queries.segments_of(transcript), request, self)
        return Response(
            {
                "transcript": TranscriptSerializer(transcript).data,
                "segments": pages.get_paginated_response(
                    SegmentSerializer(segments, many=True).data
                ).data,
            }
        )


def _id_in(request: Request, name: str) -> UUID | None:
    text = request.query_params.get(name)
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise queries.TranscriptNotReady from None
