"""Transcripts over HTTP."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from django.conf import settings
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.http.pagination import CursorPages
from core.http.views import ApiView
from meetings import queries
from meetings.api.parameters import id_in
from meetings.api.transcripts import (
    ImportedTranscriptSerializer,
    MeetingTranscriptSerializer,
    SentTranscriptSerializer,
    TranscriptSerializer,
    shown_segments,
)
from meetings.models import Meeting
from meetings.services import transcripts as transcript_services


class MeetingTranscript(ApiView):
    """The text of a meeting: one transcript, and a page of its segments."""

    scope_family = "meetings"
    ordering = ("position", "id")

    @extend_schema(
        operation_id="meetings_transcript",
        summary="Read the transcript",
        parameters=[
            OpenApiParameter(
                "recording",
                OpenApiTypes.UUID,
                description="Which recording's; else a text sent in, or the first recording's.",
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
            recording_id=id_in(request, "recording", queries.TranscriptNotReady),
            transcript_id=id_in(request, "transcript", queries.TranscriptNotReady),
        )
        pages = CursorPages()
        pages.pinned = {"transcript": str(transcript.id)}
        segments = pages.paginate_queryset(queries.segment_rows(transcript), request, self)
        return Response(
            {
                "transcript": TranscriptSerializer(transcript).data,
                "segments": pages.get_paginated_response(shown_segments(segments)).data,
            }
        )

    @extend_schema(
        operation_id="meetings_transcript_import",
        summary="Send in a text",
        description=(
            "For a discussion that needs no transcription: a new transcript of the meeting, its "
            "words kept letter by letter. Speakers and times may be left out. At most 50,000 "
            "segments, and 8 MiB of JSON unless the operator says otherwise: over 200,000 words."
        ),
        request=SentTranscriptSerializer,
        responses={201: ImportedTranscriptSerializer},
    )
    def post(self, request: Request, meeting_id: UUID) -> Response:
        meeting = get_object_or_404(Meeting.objects.visible_to(self.actor), id=meeting_id)
        sent = SentTranscriptSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        transcript = transcript_services.import_transcript(
            actor=self.actor, meeting=meeting, **sent.validated_data
        )
        return Response(ImportedTranscriptSerializer(transcript).data, status=HTTPStatus.CREATED)

    @property
    def json_max_bytes(self) -> int:
        """A whole discussion in one body."""
        return settings.TRANSCRIPT_MAX_BYTES
