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

from core.http.filters import PAGING
from core.http.views import ApiView
from meetings import queries
from meetings.api.parameters import id_in
from meetings.api.serializers import UploadFormSerializer
from meetings.api.transcript_files import MEDIA_TYPES, sent_text
from meetings.api.transcripts import (
    ImportedTranscriptSerializer,
    MeetingTranscriptSerializer,
    SegmentPages,
    SentTranscriptSerializer,
    TranscriptSerializer,
)
from meetings.models import Meeting
from meetings.services import transcripts as transcript_services
from meetings.services.transcripts import Replaced

TEXT_OPTIONS = [
    OpenApiParameter("filename", OpenApiTypes.STR, description="The file name, for a raw body."),
    OpenApiParameter(
        "language", OpenApiTypes.STR, description="The language of a file, such as `en`."
    ),
    OpenApiParameter(
        "replaces",
        OpenApiTypes.STR,
        enum=list(Replaced),
        description="The parts of the meeting's text that this file replaces.",
    ),
]


class MeetingTranscript(ApiView):
    """The text of a meeting: its transcripts, and a page of their segments."""

    scope_family = "meetings"
    query_parameters = {
        "get": ("recording", "transcript", *sorted(PAGING)),
        "post": ("filename", "language", "replaces"),
    }

    @extend_schema(
        operation_id="meetings_transcript",
        summary="Read the transcript",
        description=(
            "The newest text of each recording and the texts sent in, in the order of the "
            "meeting's clock, which starts with the first of them. Times are on that clock: "
            "subtract `offset_ms` for the time in a recording."
        ),
        parameters=[
            OpenApiParameter(
                "recording",
                OpenApiTypes.UUID,
                description="Only this recording; without it, the whole text.",
            ),
            OpenApiParameter(
                "transcript",
                OpenApiTypes.UUID,
                description="Only this version of a part.",
            ),
            OpenApiParameter("cursor", OpenApiTypes.STR, description="From `next` or `previous`."),
            OpenApiParameter("page_size", OpenApiTypes.INT, description="1 to 100, 20 if absent."),
        ],
        responses=MeetingTranscriptSerializer,
    )
    def get(self, request: Request, meeting_id: UUID) -> Response:
        meeting = get_object_or_404(Meeting.objects.visible_to(self.actor), id=meeting_id)
        text = queries.text_of(
            meeting,
            recording_id=id_in(request, "recording", queries.TranscriptNotReady),
            transcript_id=id_in(request, "transcript", queries.TranscriptNotReady),
        )
        pages = SegmentPages()
        segments = pages.paginate_text(text, request)
        transcripts = TranscriptSerializer(text.transcripts, many=True).data
        return Response(
            {
                "transcript": transcripts[0],
                "transcripts": transcripts,
                "recordings_not_included": text.recordings_not_included,
                "segments": pages.get_paginated_response(segments).data,
            }
        )

    @extend_schema(
        operation_id="meetings_transcript_import",
        summary="Import a transcript",
        description=(
            "For a discussion that needs no transcription. It becomes a part of the text of the "
            "meeting, or replaces what `replaces` names. Words are kept letter by letter. Send "
            "JSON in the shape below, or a file: WebVTT, SubRip, SBV, lines of text with names "
            "and times, JSON of Minutebook or of a program around Whisper; as the body, or as the "
            "part `file` of a form. The content decides the type. Up to 1 % unreadable cues are "
            "left out and named in `notes`. Speakers and times may be missing. At most 50,000 "
            "segments, and 8 MiB unless the operator sets another limit. `job` analyses the "
            "meeting with this text in the background."
        ),
        parameters=TEXT_OPTIONS,
        request={
            "application/json": SentTranscriptSerializer,
            "multipart/form-data": UploadFormSerializer,
            **dict.fromkeys(MEDIA_TYPES, OpenApiTypes.BINARY),
        },
        responses={201: ImportedTranscriptSerializer},
    )
    def post(self, request: Request, meeting_id: UUID) -> Response:
        meeting = get_object_or_404(Meeting.objects.visible_to(self.actor), id=meeting_id)
        sent = sent_text(request)
        imported = transcript_services.import_transcript(
            actor=self.actor,
            meeting=meeting,
            text=sent.text,
            language=sent.language,
            replaces=sent.replaces,
        )
        return Response(ImportedTranscriptSerializer(imported).data, status=HTTPStatus.CREATED)

    @property
    def json_max_bytes(self) -> int:
        """A whole discussion in one body."""
        return settings.TRANSCRIPT_MAX_BYTES
