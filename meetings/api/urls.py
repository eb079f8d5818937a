"""Where meetings answer, under /api/v1/."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from meetings.api.views.meetings import MeetingViewSet
from meetings.api.views.recordings import RecordingUpload, RecordingViewSet
from meetings.api.views.transcripts import MeetingTranscript

router = SimpleRouter()
router.register("meetings", MeetingViewSet, basename="meeting")
router.register("recordings", RecordingViewSet, basename="recording")

urlpatterns = [
    path("meetings/<uuid:meeting_id>/recordings/", RecordingUpload.as_view(), name="uploads"),
    path("meetings/<uuid:meeting_id>/transcript/", MeetingTranscript.as_view(), name="transcript"),
    *router.urls,
]
