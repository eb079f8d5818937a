"""Recordings over HTTP: sent in as a stream, listed, downloaded, transcribed again, deleted."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.mixins import DestroyModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from core.db.clock import database_now
from core.http.bodies import received
from core.http.downloads import LinkedFileView, download_schema, file_answer
from core.http.views import ApiView, ReadViewSet
from meetings import queries
from meetings.api.filters import RecordingFilter
from meetings.api.serializers import (
    AcceptedRecordingSerializer,
    RecordingSerializer,
    RetriedRecordingSerializer,
    UploadFormSerializer,
)
from meetings.api.uploads import RecordingUpload
from meetings.models import Meeting, Recording
from meetings.services import recordings as recording_services

TEXT_OPTIONS = [
    OpenApiParameter("filename", OpenApiTypes.STR, description="The file name, for a raw body."),
    OpenApiParameter(
        "language", OpenApiTypes.STR, description="The language spoken, such as `en` or `en-US`."
    ),
    OpenApiParameter(
        "started_at",
        OpenApiTypes.DATETIME,
        description="When the recording began. Default: when the recordings before it ended.",
    ),
]


class MeetingRecordings(ApiView):
    """The recordings of a meeting, where new ones are sent to."""

    scope_family = "meetings"
    query_parameters = {"post": ("filename", "language", "started_at")}
    idempotent = False  # the content's hash is the key: the same bytes answer with the same row
    parser_classes = ()

    @extend_schema(
        operation_id="recordings_create",
        summary="Upload a recording",
        description=(
            "Send audio or video as the body, or as the part `file` of a form. "
            "The content decides the type: MP3, WAV, M4A, MP4, MOV, 3GP, Ogg, "
            "WebM, Matroska, FLAC, AAC, AMR, WMA, AIFF and others. The same bytes again in the "
            "same meeting answer 200 with the existing recording; in another meeting of the "
            "organization they make a new recording with `duplicate` true. No Idempotency-Key "
            "is needed."
        ),
        parameters=TEXT_OPTIONS,
        request={
            "multipart/form-data": UploadFormSerializer,
            "application/octet-stream": OpenApiTypes.BINARY,
        },
        responses={200: AcceptedRecordingSerializer, 202: AcceptedRecordingSerializer},
    )
    def post(self, request: Request, meeting_id: UUID) -> Response:
        meeting = get_object_or_404(Meeting.objects.visible_to(self.actor), id=meeting_id)
        open_upload = partial(RecordingUpload, request._request, self.actor.organization.id)
        with received(request._request, open_upload) as upload:
            accepted = recording_services.add_recording(
                actor=self.actor,
                meeting=meeting,
                incoming=upload.incoming,
                filename=upload.filename,
                language=upload.language,
                started_at=upload.started_at_in(meeting.zone),
            )
        status = HTTPStatus.ACCEPTED if accepted.is_new else HTTPStatus.OK
        shown = AcceptedRecordingSerializer(
            accepted, context={"request": request, "moment": database_now()}
        )
        return Response(shown.data, status=status)


class RecordingViewSet(DestroyModelMixin, ReadViewSet):
    """Recordings of the meetings that you may see, newest first."""

    queryset = Recording.objects.all()
    serializer_class = RecordingSerializer
    filterset_class = RecordingFilter
    scope_family = "meetings"
    # A link must not be stored with an idempotency key.
    unkept_fields = ("recording.download_url", "recording.expires_at")

    def get_queryset(self) -> QuerySet[Any]:
        return queries.with_file_and_job(super().get_queryset())

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "moment": database_now()}

    @extend_schema(
        operation_id="recordings_retry",
        summary="Transcribe a recording again",
        description="If a job for it is active already, the answer is that job.",
        request=None,
        responses={202: RetriedRecordingSerializer},
    )
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        recording = recording_services.retry_transcription(
            actor=self.actor, recording=self.get_object()
        )
        shown = RetriedRecordingSerializer(recording, context=self.get_serializer_context())
        return Response(shown.data, status=HTTPStatus.ACCEPTED)

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete a recording with its transcripts and findings.

        Earlier exports of the meeting are deleted too. The rest of the meeting stays.
        """
        return super().destroy(request, *args, **kwargs)

    def perform_destroy(self, instance: Recording) -> None:
        recording_services.delete_recording(actor=self.actor, recording=instance)


class RecordingFile(LinkedFileView):
    """The audio of a recording, to whoever has the link."""

    @download_schema(operation_id="recordings_file", summary="Download a recording")
    def get(self, request: Request, recording_id: UUID, token: str) -> HttpResponseBase:
        recording = queries.recording_behind(recording_id=recording_id, token=token)
        return file_answer(
            request,
            recording.stored_file,
            filename=recording.filename or f"recording-{recording.id}",
            media_type=recording.media_type,
        )
