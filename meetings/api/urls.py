"""Where meetings answer, under /api/v1/."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from meetings.api.views.analyses import MeetingAnalysis
from meetings.api.views.items import ActionItemViewSet, DecisionViewSet
from meetings.api.views.meetings import MeetingViewSet
from meetings.api.views.recordings import MeetingRecordings, RecordingFile, RecordingViewSet
from meetings.api.views.transcripts import MeetingTranscript

router = SimpleRouter()
router.register("meetings", MeetingViewSet, basename="meeting")
router.register("recordings", RecordingViewSet, basename="recording")
router.register("decisions", DecisionViewSet, basename="decision")
router.register("action-items", ActionItemViewSet, basename="action-item")

urlpatterns = [
    path("meetings/<uuid:meeting_id>/recordings/", MeetingRecordings.as_view(), name="uploads"),
    path("meetings/<uuid:meeting_id>/analysis/", MeetingAnalysis.as_view(), name="analysis"),
    path("meetings/<uuid:meeting_id>/transcript/", MeetingTranscript.as_view(), name="transcript"),
    path(
        "recordings/<uuid:recording_id>/file/<str:token>/",
        RecordingFile.as_view(),
        name="recording-file",
    ),
    *router.urls,
]
